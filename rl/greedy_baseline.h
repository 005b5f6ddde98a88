// ReMax's baseline (arXiv 2310.10505): the reward of each prompt's greedy completion.
#pragma once

#include <vector>

#include "core/metrics.h"
#include "rl/batch.h"
#include "rollout/types.h"

namespace covrl {

// Fills batch.baselines from `greedy`: a group of one trajectory for each slot of the batch, in its
// order. A prompt whose greedy completion failed has no baseline: its sequences are out of the loss
// and of the statistics. Metrics: critic/baseline/{mean,max,min} over prompts, and
// critic/baseline/failed, their number.
void add_greedy_baselines(Batch& batch, const std::vector<Group>& greedy, Metrics& metrics);

}  // namespace covrl
