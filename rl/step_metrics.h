// What a rollout step's groups and batch say before any update: lengths, outcomes, and the
// sampler-learner gap.
#pragma once

#include <string>
#include <vector>

#include "core/metrics.h"
#include "rl/batch.h"
#include "rollout/types.h"

namespace covrl {

// response_length/{mean,max,min,clip_ratio}, prompt_length/{mean,max,min}, frac_reward_zero_std,
// verifier/{correct,wrong,unparsed,failed}, rollout/entropy (token mean at the sampling
// temperature), rollout/degenerate (share of the usable responses, rollout/degenerate_text.h).
void add_group_metrics(const std::vector<Group>& groups, Metrics& metrics);

// Error(kRuntime) when more than this share of the completions failed: how many in sampling, how
// many in verification, and the first reason of the latter.
void check_failed_share(const std::vector<Group>& groups, double max_failed_share);

// With several verifiers: verifier/NAME/{correct,wrong,unparsed,failed}, and rewards/NAME/{mean,
// max,min}, scores before their weights, of each of `names`. With one: nothing.
void add_verifier_metrics(const std::vector<std::string>& names, const std::vector<Group>& groups,
                          Metrics& metrics);

// audit/{checked,disagreed,failed}: verdicts looked at; where one verifier alone said correct;
// where the second could not judge. audit/{only_first_correct,only_second_correct}: disagreements
// of each kind.
void add_audit_metrics(const std::vector<Group>& groups, Metrics& metrics);

// training/rollout_logprob_diff_{mean,max}: |behaviour - scored| over loss tokens; 0 where sampler
// and learner agree bit for bit.
void add_gap_metrics(const Batch& batch, Metrics& metrics);

}  // namespace covrl
