#include "rollout/types.h"

#include "core/error.h"

namespace covrl {

const char* finish_reason_name(FinishReason reason) {
  switch (reason) {
    case FinishReason::kStop:
      return "stop";
    case FinishReason::kLength:
      return "length";
    case FinishReason::kFailed:
      return "failed";
  }
  COVRL_CHECK(false, "finish reason ", static_cast<int>(reason));
}

bool is_usable(const Trajectory& trajectory) {
  return trajectory.finish_reason != FinishReason::kFailed &&
         trajectory.verdict.outcome != Outcome::kFailed;
}

}  // namespace covrl
