#include <ATen/Functions.h>

#include <algorithm>
#include <numeric>

#include "core/error.h"
#include "kernels/linear.h"
#include "kernels/sample_token.h"
#include "rl/commands/jsonl_output.h"
#include "rl/commands/probe_context.h"
#include "rl/commands/row_fields.h"
#include "rollout/engine.h"

namespace covrl {
namespace {

// Logits [V] float32 after the last of `ids`.
at::Tensor last_logits(const Model& model, const std::vector<int64_t>& ids) {
  const at::Tensor hidden_TD = model.hidden(pack_tokens({ids}));
  return kernels::linear_float32(hidden_TD.slice(0, hidden_TD.size(0) - 1), model.head())
      .to(at::kCPU)
      .flatten();
}

// Scores of each sequence, computed in one packed batch.
Json score_lists(const Model& model, const std::vector<std::vector<int64_t>>& sequences) {
  const at::NoGradGuard no_grad;
  for (const auto& sequence : sequences)
    if (sequence.empty()) throw_usage("an empty list of ids cannot be scored");
  constexpr int64_t kTop = 5;
  const PackedTokens batch = pack_tokens(sequences);
  const PackedScores scores = score(model, batch, /*temperature=*/1);
  Json answers = Json::array();
  for (size_t n = 0; n < sequences.size(); ++n) {
    const int64_t begin = batch.cu_seqlens[n], length = batch.cu_seqlens[n + 1] - begin;
    const at::Tensor logits_V = last_logits(model, sequences[n]);
    const auto [values, ids] = logits_V.topk(std::min(kTop, logits_V.numel()));
    const int64_t* top = ids.const_data_ptr<int64_t>();
    answers.push_back(
        {{"logprobs", floats_json(scores.logprob_T.const_data_ptr<float>() + begin, length - 1)},
         {"entropy", floats_json(scores.entropy_T.const_data_ptr<float>() + begin, length)},
         {"top5_ids", std::vector<int64_t>(top, top + ids.numel())},
         {"top5_logits", floats_json(values.const_data_ptr<float>(), values.numel())}});
  }
  return answers;
}

Json generate_lists(const Json& row, const Model& model,
                    const std::vector<std::vector<int64_t>>& prompts) {
  SamplingParams params;
  params.filter.temperature = 0;
  params.max_new_tokens = get_int(row, "max_new_tokens", "row");
  params.stop_token_ids = get_ids(row, "eos_ids");
  std::vector<SampleRequest> requests;
  for (size_t i = 0; i < prompts.size(); ++i)
    requests.push_back({prompts[i], /*step=*/0, /*slot=*/i, /*num_samples=*/1, /*first_sample=*/0});
  Json answers = Json::array();
  for (size_t i = 0; i < prompts.size(); ++i) answers.push_back(nullptr);
  Engine(model, {}).generate(
      requests, params, [&answers](size_t request, int64_t, Trajectory&& done) {
        answers[request] = {
            {"ids", done.tokens},
            {"logprobs", floats_json(done.behaviour_logprob.data(),
                                     static_cast<int64_t>(done.behaviour_logprob.size()))},
            {"finish_reason", finish_reason_name(done.finish_reason)}};
      });
  return answers;
}

}  // namespace

Json probe_score(const Json& row, ProbeContext& context) {
  return score_lists(context.model_of(row), {get_ids(row, "ids")})[0];
}

Json probe_score_batch(const Json& row, ProbeContext& context) {
  return {{"outputs", score_lists(context.model_of(row), get_id_lists(row, "prompts"))}};
}

Json probe_generate(const Json& row, ProbeContext& context) {
  return generate_lists(row, context.model_of(row), {get_ids(row, "prompt")})[0];
}

Json probe_generate_batch(const Json& row, ProbeContext& context) {
  return {{"outputs", generate_lists(row, context.model_of(row), get_id_lists(row, "prompts"))}};
}

Json probe_sample_dist(const Json& row, ProbeContext& context) {
  const at::NoGradGuard no_grad;
  kernels::SamplingFilter filter;
  filter.temperature = get_double(row, "temperature", "row");
  filter.top_k = get_int(row, "top_k", "row");
  filter.top_p = get_double(row, "top_p", "row");
  const std::vector<double> probabilities = kernels::filtered_distribution(
      last_logits(context.model_of(row), get_ids(row, "ids")), filter);
  std::vector<int64_t> support;
  for (size_t id = 0; id < probabilities.size(); ++id)
    if (probabilities[id] > 0) support.push_back(static_cast<int64_t>(id));
  const auto probability = [&](int64_t id) { return probabilities[static_cast<size_t>(id)]; };
  std::stable_sort(support.begin(), support.end(),
                   [&](int64_t a, int64_t b) { return probability(a) > probability(b); });
  std::vector<double> values;
  for (const int64_t id : support) values.push_back(probability(id));
  return {{"support", support}, {"probs", values}};
}

}  // namespace covrl
