// The log-ratio that every policy loss starts from.
#pragma once

#include "rl/loss/policy_loss.h"

namespace covrl {

// log(policy / old policy) per token, bounded to +-20; 0 outside the mask, where neither value nor
// gradient is read.
at::Tensor bounded_log_ratio(const LossInput& input);

}  // namespace covrl
