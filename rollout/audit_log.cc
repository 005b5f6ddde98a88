#include "rollout/audit_log.h"

#include "rollout/audit.h"

namespace covrl {

void AuditLog::write(int64_t step, const std::vector<Group>& groups) {
  for (const Group& group : groups)
    for (size_t sample = 0; sample < group.trajectories.size(); ++sample) {
      const Trajectory& trajectory = group.trajectories[sample];
      if (!audit_disagrees(trajectory)) continue;
      log_.add({{"step", step},
                {"id", group.prompt.id},
                {"index", group.prompt.index},
                {"slot", group.slot},
                {"sample", sample},
                {"prompt", prompt_text(group.prompt)},
                {"response", trajectory.text},
                {"gold", group.prompt.gold},
                {"outcome", outcome_name(trajectory.verdict.outcome)},
                {"extracted", trajectory.verdict.extracted},
                {"audit_outcome", outcome_name(trajectory.audit->outcome)},
                {"audit_extracted", trajectory.audit->extracted}});
    }
  log_.flush();
}

}  // namespace covrl
