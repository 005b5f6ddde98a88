#include "rollout/audit.h"

#include "core/rng.h"

namespace covrl {

bool is_audited(const Audit& audit, uint64_t slot, size_t sample) {
  if (audit.verifier == nullptr) return false;
  const DrawId id{audit.step, audit.first_slot + slot, static_cast<uint32_t>(sample), 0};
  return uniform(audit.seed, Stream::kAudit, id) < audit.share;
}

bool audit_disagrees(const Trajectory& trajectory) {
  if (!trajectory.audit || !is_usable(trajectory) || trajectory.audit->outcome == Outcome::kFailed)
    return false;
  return (trajectory.verdict.outcome == Outcome::kCorrect) !=
         (trajectory.audit->outcome == Outcome::kCorrect);
}

}  // namespace covrl
