// The sampler: continuous batching over a paged cache. What a request yields depends on the request
// alone (its tokens, seed and ids), never on what else is in the batch, on the batch size or on the
// order.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "core/rng.h"
#include "kernels/sample_token.h"
#include "policy/model.h"
#include "rollout/types.h"

namespace covrl {

struct SamplingParams {
  kernels::SamplingFilter filter;
  int64_t max_new_tokens = 256;
  std::vector<int64_t>
      stop_token_ids;  // the stop token is kept as the last token of the completion
  // Whether a completion, as far as it is drawn, ends here; asked after each token. Empty: never.
  std::function<bool(const std::vector<int64_t>& tokens)> is_complete = {};
  uint64_t seed = 0;
  Stream stream = Stream::kSampling;
};

struct EngineConfig {
  int64_t max_batch = 128;  // sequences decoded together
};

struct SampleRequest {
  std::vector<int64_t> prompt;
  uint64_t step = 0;  // DrawId of every draw: (step, slot, sample, position)
  uint64_t slot = 0;
  int64_t num_samples = 1;
  int64_t first_sample = 0;
};

class Engine {
 public:
  Engine(const Model& model, EngineConfig config);

  // Samples all requests; `done(request, sample, trajectory)` is called on this thread as each
  // sample finishes, in any order (`sample` is first_sample + i; tokens, log-probs, entropy and
  // finish reason filled). A sample whose logits are not finite ends there with kFailed. Prompts of
  // a request are prefilled once and forked.
  void generate(const std::vector<SampleRequest>& requests, const SamplingParams& params,
                const std::function<void(size_t, int64_t, Trajectory&&)>& done);

 private:
  const Model& model_;
  EngineConfig config_;
};

}  // namespace covrl
