// The verb "estimate": from the batch's rewards to advantages.
#pragma once

#include "core/metrics.h"
#include "rl/advantage/advantage.h"
#include "rl/batch.h"
#include "rl/reward_kl.h"

namespace covrl {

enum class Truncated { kLearned, kLeftOut };

// Fills batch.advantage_T and return_T. The reward of a trajectory sits on its last loss
// token (rejection may have taken later ones out); reward_kl takes its penalty off every token.
// Truncated::kLeftOut: what was cut off at the length limit counts in the statistics of its group
// and batch, then leaves the loss mask. Metrics: critic/{score, rewards, advantages,
// returns}/{mean, max, min}, verl's names: score and rewards per trajectory, advantages and returns
// per loss token.
void estimate_advantages(Batch& batch, const AdvantageEstimator& estimator, RewardKl& reward_kl,
                         Truncated truncated, Metrics& metrics);

}  // namespace covrl
