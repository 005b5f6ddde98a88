// The audit of rewards: a share of the verdicts is made once more by a second verifier. Which ones
// depends on (seed, step, prompt, sample) alone, so that ranks, threads and order change nothing;
// what the second verifier says changes no reward.
#pragma once

#include <cstdint>

#include "rollout/types.h"
#include "verifiers/verifier.h"

namespace covrl {

struct Audit {
  const Verifier* verifier = nullptr;  // null: no audit
  double share = 0;                    // of the verdicts
  uint64_t seed = 0;
  uint64_t step = 0;
  uint64_t first_slot = 0;  // added to a group's slot
};

bool is_audited(const Audit& audit, uint64_t slot, size_t sample);

// Both judged it, and one of them alone called it correct.
bool audit_disagrees(const Trajectory& trajectory);

}  // namespace covrl
