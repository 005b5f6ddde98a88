// DPPO (arXiv 2602.04879): -sg(min(r, c)) A l for the tokens that a divergence between the policies
// lets through. A token drops out when its step away from the old policy, in the direction that its
// advantage wants, is larger than clip_ratio_high (A > 0) or clip_ratio_low (A <= 0).
#pragma once

#include "rl/loss/policy_loss.h"

namespace covrl {

// allowed_T: bool, the tokens that stay.
LossTerms dppo_terms(const LossInput& input, const at::Tensor& allowed_T, double cap);

}  // namespace covrl
