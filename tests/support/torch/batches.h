// Batches for tests of what comes after sampling, and what those tests look at.
#pragma once

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "core/rng.h"
#include "rl/batch.h"
#include "rl/optimizer.h"

namespace covrl::testing {

// One value per sequence, given to each of its loss tokens; 0 elsewhere. float32 [T].
inline at::Tensor broadcast(const Batch& batch, const std::vector<double>& per_sequence) {
  std::vector<int64_t> lengths;
  for (size_t n = 0; n < per_sequence.size(); ++n)
    lengths.push_back(batch.cu_seqlens[n + 1] - batch.cu_seqlens[n]);
  const at::Tensor values = at::tensor(per_sequence, at::kDouble).to(at::kFloat);
  return at::where(batch.loss_mask_T, values.repeat_interleave(at::tensor(lengths, at::kLong)),
                   0.0f);
}

// Groups of 3 completions of 1 to 9 tokens, for the vocabulary of tiny_model().
inline std::vector<Group> random_groups(int64_t num_groups) {
  std::vector<Group> groups;
  for (int64_t g = 0; g < num_groups; ++g) {
    Sequence draws(11, Stream::kTest, static_cast<uint64_t>(g));
    Group& group = groups.emplace_back();
    group.slot = static_cast<uint64_t>(g);
    const int64_t prompt_length = draws.between(1, 5);
    for (int64_t i = 0; i < prompt_length; ++i) group.prompt.tokens.push_back(draws.between(0, 36));
    for (int i = 0; i < 3; ++i) {
      Trajectory& trajectory = group.trajectories.emplace_back();
      const int64_t length = draws.between(1, 9);
      for (int64_t t = 0; t < length; ++t) trajectory.tokens.push_back(draws.between(0, 36));
      trajectory.behaviour_logprob.assign(static_cast<size_t>(length), -1);
      trajectory.finish_reason = FinishReason::kStop;
      trajectory.verdict.outcome = Outcome::kWrong;
    }
  }
  return groups;
}

// All parameters of a model, one after another.
template <class AnyModel>
at::Tensor flat_weights(const AnyModel& model) {
  std::vector<at::Tensor> parts;
  for (const auto& [name, parameter] : model.parameters())
    parts.push_back(parameter.detach().flatten().clone());
  return at::cat(parts);
}

// An optimizer whose step shows the gradient itself (the first step of AdamW shows little but its
// sign): without running means and with eps far above the clipped gradient, the step is lr / eps *
// gradient; lr makes it much longer than the weights' rounding.
inline void show_gradient(OptimizerConfig& optim) {
  optim.lr = 1e9;
  optim.eps = 1;
  optim.beta1 = optim.beta2 = 0;
  optim.weight_decay = 0;
  optim.grad_clip = 1e-6;
}

inline double metric_of(const std::vector<std::pair<std::string, double>>& metrics,
                        const std::string& name) {
  for (const auto& [key, value] : metrics)
    if (key == name) return value;
  ADD_FAILURE() << name << " is not among the metrics";
  return std::nan("");
}

}  // namespace covrl::testing
