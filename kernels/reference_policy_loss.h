// Plain-torch oracle of token_policy_loss: differentiable by autograd, on any device, in the
// precision of its input.
#pragma once

#include "kernels/token_policy_loss.h"

namespace covrl::kernels::reference {

TokenPolicyLoss token_policy_loss(const TokenPolicyLossInput& input, const PolicyLossTerms& terms);

}  // namespace covrl::kernels::reference
