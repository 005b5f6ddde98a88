// Estimators of KL(policy || reference) per token from log-probabilities, x = logprob - ref_logprob
// (Schulman, "Approximating KL").
#pragma once

#include <ATen/core/Tensor.h>

#include <string>
#include <vector>

#include "kernels/policy_loss_terms.h"

namespace covrl {

// "k1": x; "k2": x^2/2; "k3": exp(-x) + x - 1 with the exponent bounded to +-20 and the value to
// +-10; "abs": |x|. verl's names "kl", "mse", "low_var_kl" are accepted for the first three. With
// gradient. A "+" after any name (straight-through): the value of that form with the gradient of
// k2, x, which is an unbiased one of the KL where those of k1 and k3 are not.
std::vector<std::string> kl_names();
at::Tensor kl_term(const std::string& kind, const at::Tensor& logprob_T,
                   const at::Tensor& ref_logprob_T);

// coefficient * kl_term as a term of the fused loss.
void fuse_kl(const std::string& kind, double coefficient, kernels::PolicyLossTerms& terms);

}  // namespace covrl
