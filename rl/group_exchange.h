// Trajectories travel from the ranks that sampled them to every rank, as bytes.
#pragma once

#include <vector>

#include "core/comm.h"
#include "rollout/types.h"

namespace covrl {

// Collective. `mine`: groups this rank sampled and verified (prompts already known everywhere, by
// slot). Returns all groups of all ranks, ordered by slot, with the prompts of `prompts[slot]`;
// throws when a slot is missing or came twice.
std::vector<Group> exchange_groups(Communicator& comm, const std::vector<Group>& mine,
                                   const std::vector<Prompt>& prompts);

}  // namespace covrl
