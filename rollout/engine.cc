#include "rollout/engine.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <deque>
#include <optional>

#include "core/error.h"
#include "kernels/linear.h"
#include "policy/kv_cache.h"

namespace covrl {

namespace {

// A request whose prompt is in the cache: samples fork from it.
struct Prefilled {
  int64_t cache_sequence = -1;
  at::Tensor last_hidden_1D;
  int64_t samples_left = 0;
};

struct Running {
  size_t request = 0;
  int64_t sample = 0;
  int64_t cache_sequence = -1;
  Trajectory trajectory;
};

struct Waiting {
  size_t request;
  int64_t sample;
};

class Generation {
 public:
  Generation(const Model& model, const EngineConfig& config,
             const std::vector<SampleRequest>& requests, const SamplingParams& params,
             const std::function<void(size_t, int64_t, Trajectory&&)>& done)
      : model_(model),
        config_(config),
        requests_(requests),
        params_(params),
        done_(done),
        cache_(model.config(), model.dtype(), initial_tokens(), model.device()),
        prefilled_(requests.size()) {
    for (size_t r = 0; r < requests.size(); ++r) {
      prefilled_[r].samples_left = requests[r].num_samples;
      for (int64_t i = 0; i < requests[r].num_samples; ++i)
        waiting_.push_back({r, requests[r].first_sample + i});
    }
  }

  void run() {
    while (!waiting_.empty() || !running_.empty()) {
      admit();
      if (!running_.empty()) step();
    }
  }

 private:
  int64_t initial_tokens() const {
    size_t longest = 1;
    int64_t num_samples = 0;
    for (const SampleRequest& request : requests_) {
      longest = std::max(longest, request.prompt.size());
      num_samples += request.num_samples;
    }
    return std::min(config_.max_batch, num_samples) * static_cast<int64_t>(longest + 64);
  }

  // Fills free places: prefills the prompts that are new, forks a cache sequence for each sample,
  // draws its first token.
  void admit() {
    std::vector<Running> admitted;
    while (static_cast<int64_t>(running_.size() + admitted.size()) < config_.max_batch &&
           !waiting_.empty()) {
      Running one;
      one.request = waiting_.front().request;
      one.sample = waiting_.front().sample;
      waiting_.pop_front();
      admitted.push_back(std::move(one));
    }
    if (admitted.empty()) return;
    prefill_new(admitted);
    std::vector<at::Tensor> hidden;
    for (Running& one : admitted) {
      Prefilled& prompt = prefilled_[one.request];
      hidden.push_back(prompt.last_hidden_1D);
      if (--prompt.samples_left > 0) {
        one.cache_sequence = cache_.fork(prompt.cache_sequence);
      } else {
        one.cache_sequence = prompt.cache_sequence;  // the last sample takes the prompt's own
        prompt.last_hidden_1D.reset();
      }
    }
    draw(at::cat(hidden), admitted);
  }

  void prefill_new(const std::vector<Running>& admitted) {
    std::vector<size_t> fresh;
    std::vector<std::vector<int64_t>> prompts;
    std::vector<int64_t> cache_sequences;
    for (const Running& one : admitted) {
      Prefilled& prompt = prefilled_[one.request];
      if (prompt.cache_sequence >= 0) continue;
      prompt.cache_sequence = cache_.add_sequence();
      fresh.push_back(one.request);
      prompts.push_back(requests_[one.request].prompt);
      cache_sequences.push_back(prompt.cache_sequence);
    }
    if (fresh.empty()) return;
    const PackedTokens packed = pack_tokens(prompts);
    const at::Tensor hidden_TD = model_.prefill(packed, cache_sequences, cache_);
    for (size_t i = 0; i < fresh.size(); ++i)
      prefilled_[fresh[i]].last_hidden_1D =
          hidden_TD.slice(0, packed.cu_seqlens[i + 1] - 1, packed.cu_seqlens[i + 1]).clone();
  }

  void step() {
    std::vector<int64_t> tokens, cache_sequences;
    for (const Running& one : running_) {
      tokens.push_back(one.trajectory.tokens.back());
      cache_sequences.push_back(one.cache_sequence);
    }
    const at::Tensor hidden_BD = model_.decode(tokens, cache_sequences, cache_);
    std::vector<Running> batch = std::move(running_);
    running_.clear();
    draw(hidden_BD, batch);
  }

  // Draws the next token of each; those that go on join running_, the others are done.
  void draw(const at::Tensor& hidden_BD, std::vector<Running>& batch) {
    const at::Tensor logits_BV = kernels::linear_float32(hidden_BD, model_.head());
    // A sum is finite when all that it adds is: no logit comes near 1e33.
    const at::Tensor finite_B = logits_BV.sum(1, /*keepdim=*/false, at::kFloat).cpu().isfinite();
    std::vector<Running> good;
    for (size_t i = 0; i < batch.size(); ++i) {
      if (finite_B.const_data_ptr<bool>()[i]) {
        good.push_back(std::move(batch[i]));
      } else {
        finish(batch[i], FinishReason::kFailed);
      }
    }
    if (good.empty()) return;
    draw_finite(good.size() == batch.size() ? logits_BV
                                            : logits_BV.index({finite_B.to(logits_BV.device())}),
                good);
  }

  void draw_finite(const at::Tensor& logits_BV, std::vector<Running>& batch) {
    std::vector<double> uniforms;
    for (const Running& one : batch) uniforms.push_back(uniform_of(one));
    const kernels::SampledTokens drawn = kernels::sample_token(logits_BV, params_.filter, uniforms);
    for (size_t i = 0; i < batch.size(); ++i) {
      Trajectory& trajectory = batch[i].trajectory;
      trajectory.tokens.push_back(drawn.token[i]);
      trajectory.behaviour_logprob.push_back(drawn.logprob[i]);
      trajectory.entropy.push_back(drawn.entropy[i]);
      if (const std::optional<FinishReason> reason = finish_reason(trajectory)) {
        finish(batch[i], *reason);
      } else {
        running_.push_back(std::move(batch[i]));
      }
    }
  }

  double uniform_of(const Running& one) const {
    const SampleRequest& request = requests_[one.request];
    return uniform(params_.seed, params_.stream,
                   {request.step, request.slot, static_cast<uint32_t>(one.sample),
                    static_cast<uint32_t>(one.trajectory.tokens.size())});
  }

  void finish(Running& one, FinishReason reason) {
    cache_.remove(one.cache_sequence);
    one.trajectory.finish_reason = reason;
    done_(one.request, one.sample, std::move(one.trajectory));
  }

  std::optional<FinishReason> finish_reason(const Trajectory& trajectory) const {
    const std::vector<int64_t>& stops = params_.stop_token_ids;
    if (std::find(stops.begin(), stops.end(), trajectory.tokens.back()) != stops.end())
      return FinishReason::kStop;
    if (params_.is_complete && params_.is_complete(trajectory.tokens)) return FinishReason::kStop;
    if (static_cast<int64_t>(trajectory.tokens.size()) == params_.max_new_tokens)
      return FinishReason::kLength;
    return {};
  }

  const Model& model_;
  const EngineConfig& config_;
  const std::vector<SampleRequest>& requests_;
  const SamplingParams& params_;
  const std::function<void(size_t, int64_t, Trajectory&&)>& done_;
  KvCache cache_;
  std::vector<Prefilled> prefilled_;
  std::deque<Waiting> waiting_;
  std::vector<Running> running_;
};

}  // namespace

Engine::Engine(const Model& model, EngineConfig config) : model_(model), config_(config) {
  COVRL_CHECK(config_.max_batch > 0, "max_batch ", config_.max_batch);
}

void Engine::generate(const std::vector<SampleRequest>& requests, const SamplingParams& params,
                      const std::function<void(size_t, int64_t, Trajectory&&)>& done) {
  for (size_t r = 0; r < requests.size(); ++r) {
    if (requests[r].prompt.empty())
      throw_usage("request ", r, ": the prompt has no token; generation needs at least one");
    if (requests[r].num_samples < 1)
      throw_usage("request ", r, ": num_samples is ", requests[r].num_samples, "; at least 1");
  }
  if (params.max_new_tokens < 1)
    throw_usage("max_new_tokens is ", params.max_new_tokens, "; at least 1");
  const at::NoGradGuard no_grad;
  Generation(model_, config_, requests, params, done).run();
}

}  // namespace covrl
