// Verdicts that the audit disagrees with, for people to read: audit.jsonl.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/step_log.h"
#include "rollout/types.h"

namespace covrl {

// A line a disagreement (rollout/audit.h):
// {"step","id","index","slot","sample","prompt","response","gold","outcome","extracted",
// "audit_outcome","audit_extracted"}.
class AuditLog {
 public:
  AuditLog(const std::string& path, int64_t resume_step) : log_(path, resume_step) {}
  void write(int64_t step, const std::vector<Group>& groups);

 private:
  StepLog log_;
};

}  // namespace covrl
