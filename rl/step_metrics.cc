#include "rl/step_metrics.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "rl/summary.h"

namespace covrl {

namespace {

bool has_zero_spread(const Group& group) {
  double low = std::numeric_limits<double>::infinity(), high = -low;
  for (const Trajectory& trajectory : group.trajectories) {
    if (!is_usable(trajectory)) continue;
    low = std::min(low, trajectory.reward);
    high = std::max(high, trajectory.reward);
  }
  return !(high > low);
}

}  // namespace

void add_group_metrics(const std::vector<Group>& groups, Metrics& metrics) {
  Summary length, prompt_length, entropy;
  double truncated = 0, zero_spread = 0, outcomes[4] = {0, 0, 0, 0}, total = 0;
  for (const Group& group : groups) {
    zero_spread += has_zero_spread(group);
    prompt_length.add(static_cast<double>(group.prompt.tokens.size()));
    for (const Trajectory& trajectory : group.trajectories) {
      ++total;
      outcomes[is_usable(trajectory) ? static_cast<int>(trajectory.verdict.outcome) : 3] += 1;
      if (!is_usable(trajectory)) continue;
      length.add(static_cast<double>(trajectory.tokens.size()));
      truncated += trajectory.finish_reason == FinishReason::kLength;
      for (const float value : trajectory.entropy) entropy.add(value);
    }
  }
  length.write("response_length", metrics);
  metrics.set("response_length/clip_ratio", truncated / std::max(1.0, total));
  prompt_length.write("prompt_length", metrics);
  metrics.set("frac_reward_zero_std",
              zero_spread / static_cast<double>(std::max<size_t>(1, groups.size())));
  metrics.set("rollout/entropy", entropy.mean());
  for (const Outcome outcome :
       {Outcome::kCorrect, Outcome::kWrong, Outcome::kUnparsed, Outcome::kFailed})
    metrics.set(std::string("verifier/") + outcome_name(outcome),
                outcomes[static_cast<int>(outcome)]);
}

void add_gap_metrics(const Batch& batch, Metrics& metrics) {
  const at::Tensor gap = (batch.behaviour_logprob_T - batch.old_logprob_T.get())
                             .abs()
                             .masked_select(batch.loss_mask_T);
  const bool any = gap.numel() > 0;
  metrics.set("training/rollout_logprob_diff_mean",
              any ? gap.to(at::kDouble).mean().item<double>() : 0);
  metrics.set("training/rollout_logprob_diff_max", any ? gap.max().item<double>() : 0);
}

}  // namespace covrl
