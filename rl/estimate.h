// The verb "estimate": from the batch's rewards to advantages.
#pragma once

#include "core/metrics.h"
#include "rl/advantage/advantage.h"
#include "rl/batch.h"

namespace covrl {

// Fills batch.advantage_T and return_T. The reward of a trajectory sits on its last loss
// token (rejection may have taken later ones out). Metrics: critic/{score, rewards, advantages,
// returns}/{mean, max, min}, verl's names: score and rewards per trajectory, advantages and returns
// per loss token.
void estimate_advantages(Batch& batch, const AdvantageEstimator& estimator, Metrics& metrics);

}  // namespace covrl
