#include "rl/step_metrics.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <map>
#include <string>

#include "core/error.h"
#include "rl/summary.h"
#include "rollout/audit.h"
#include "rollout/degenerate_text.h"

namespace covrl {

namespace {

// Share of the groups, by what an advantage is relative to, whose usable rewards are all equal.
double zero_spread_share(const std::vector<Group>& groups) {
  struct Rewards {
    double low = std::numeric_limits<double>::infinity(), high = -low;
  };
  std::map<uint64_t, Rewards> ranges;
  for (const Group& group : groups) {
    Rewards& range = ranges[group.advantage_group()];
    for (const Trajectory& trajectory : group.trajectories) {
      if (!is_usable(trajectory)) continue;
      range.low = std::min(range.low, trajectory.reward);
      range.high = std::max(range.high, trajectory.reward);
    }
  }
  const auto num_equal = std::count_if(ranges.begin(), ranges.end(), [](const auto& range) {
    return !(range.second.high > range.second.low);
  });
  return static_cast<double>(num_equal) / static_cast<double>(std::max<size_t>(1, ranges.size()));
}

template <class Counts>
void write_outcomes(const std::string& name, const Counts& counts, Metrics& metrics) {
  for (const Outcome outcome :
       {Outcome::kCorrect, Outcome::kWrong, Outcome::kUnparsed, Outcome::kFailed})
    metrics.set(name + "/" + outcome_name(outcome), counts[static_cast<size_t>(outcome)]);
}

}  // namespace

void add_group_metrics(const std::vector<Group>& groups, Metrics& metrics) {
  Summary length, prompt_length, entropy;
  double truncated = 0, degenerate = 0, outcomes[4] = {0, 0, 0, 0}, total = 0;
  for (const Group& group : groups) {
    prompt_length.add(static_cast<double>(group.prompt.tokens.size()));
    for (const Trajectory& trajectory : group.trajectories) {
      ++total;
      outcomes[is_usable(trajectory) ? static_cast<int>(trajectory.verdict.outcome) : 3] += 1;
      if (!is_usable(trajectory)) continue;
      length.add(static_cast<double>(trajectory.tokens.size()));
      truncated += trajectory.finish_reason == FinishReason::kLength;
      degenerate += is_degenerate(trajectory.tokens);
      for (const float value : trajectory.entropy) entropy.add(value);
    }
  }
  length.write("response_length", metrics);
  const double usable = std::max(1.0, total - outcomes[3]);
  metrics.set("response_length/clip_ratio", truncated / usable);
  prompt_length.write("prompt_length", metrics);
  metrics.set("frac_reward_zero_std", zero_spread_share(groups));
  metrics.set("rollout/entropy", entropy.mean());
  metrics.set("rollout/degenerate", degenerate / usable);
  write_outcomes("verifier", outcomes, metrics);
}

void check_failed_share(const std::vector<Group>& groups, double max_failed_share) {
  double unsampled = 0, unverified = 0, total = 0;
  std::string reason;
  for (const Group& group : groups)
    for (const Trajectory& trajectory : group.trajectories) {
      total += 1;
      if (is_usable(trajectory)) continue;
      const bool sampled = trajectory.finish_reason != FinishReason::kFailed;
      (sampled ? unverified : unsampled) += 1;
      if (sampled && reason.empty()) reason = trajectory.verdict.reason;
    }
  if (unsampled + unverified <= max_failed_share * total) return;
  std::string what, remedy;
  if (unsampled > 0) {
    what += concat(unsampled, " in sampling (the model's logits were not finite)");
    remedy += " Go back to a checkpoint with finite weights, or lower actor.optim.lr.";
  }
  if (unverified > 0) {
    what += concat(what.empty() ? "" : ", ", unverified, " in verification");
    if (!reason.empty()) what += concat(" (", reason, ")");
    remedy += " Mend the verifier before raising the bound.";
  }
  throw_runtime(unsampled + unverified, " of ", total, " completions failed: ", what,
                "; more than reward.max_failed_share = ", max_failed_share,
                " allows; nothing was learned from this step.", remedy);
}

void add_verifier_metrics(const std::vector<std::string>& names, const std::vector<Group>& groups,
                          Metrics& metrics) {
  if (names.size() < 2) return;
  for (size_t part = 0; part < names.size(); ++part) {
    std::array<double, 4> outcomes{};
    Summary score;
    for (const Group& group : groups)
      for (const Trajectory& trajectory : group.trajectories) {
        const std::vector<VerdictPart>& parts = trajectory.verdict.parts;
        const VerdictPart judged = part < parts.size() ? parts[part] : VerdictPart();
        outcomes[static_cast<size_t>(judged.outcome)] += 1;
        if (judged.outcome != Outcome::kFailed) score.add(judged.score);
      }
    write_outcomes("verifier/" + names[part], outcomes, metrics);
    score.write("rewards/" + names[part], metrics);
  }
}

void add_audit_metrics(const std::vector<Group>& groups, Metrics& metrics) {
  double checked = 0, failed = 0, only_first = 0, only_second = 0;
  for (const Group& group : groups)
    for (const Trajectory& trajectory : group.trajectories) {
      if (!trajectory.audit) continue;
      checked += 1;
      failed += trajectory.audit->outcome == Outcome::kFailed;
      if (!audit_disagrees(trajectory)) continue;
      (trajectory.audit->outcome == Outcome::kCorrect ? only_second : only_first) += 1;
    }
  metrics.set("audit/checked", checked);
  metrics.set("audit/failed", failed);
  metrics.set("audit/disagreed", only_first + only_second);
  metrics.set("audit/only_first_correct", only_first);
  metrics.set("audit/only_second_correct", only_second);
}

void add_gap_metrics(const Batch& batch, Metrics& metrics) {
  const at::Tensor gap = (batch.behaviour_logprob_T - batch.scored_like_behaviour_T())
                             .abs()
                             .masked_select(batch.loss_mask_T);
  const bool any = gap.numel() > 0;
  metrics.set("training/rollout_logprob_diff_mean",
              any ? gap.to(at::kDouble).mean().item<double>() : 0);
  metrics.set("training/rollout_logprob_diff_max", any ? gap.max().item<double>() : 0);
}

}  // namespace covrl
