// The loss of a policy over tokens, in one pass: ratio, clip, dual clip, selections, KL and entropy
// terms, their sum, and its gradient with respect to log-prob and entropy.
//
//   r_t    = exp(d_t), d_t = logprob_t - old_logprob_t bounded to +-20
//   L_t    = max(-A_t r_t, -A_t clip(r_t, ratio_min, ratio_max)), capped (dual clip), times the
//            rollout weight
//   term_t = policy L_t, 0 where dropped
//          + pull penalty(logprob_t - old_logprob_t), where pulled
//          - entropy H_t
//          + kl penalty(logprob_t - ref_logprob_t)
//   loss   = sum_t weight_t term_t
//
// PPO's clip: arXiv 1707.06347; dual clip: 1912.09729; dropped: Clip-Cov, pulled: KL-Cov, both
// 2505.22617; estimators of the KL: Schulman, "Approximating KL". In float32 the gradient has the
// bits of the same expression under automatic differentiation (reference_policy_loss.h). Sums are
// in double, in an order that depends neither on threads nor on the processor.
#pragma once

#include <ATen/core/Tensor.h>

#include "kernels/policy_loss_terms.h"

namespace covrl::kernels {

// All [T], values of one type. Nothing outside the mask is read, in value or gradient.
struct TokenPolicyLossInput {
  at::Tensor logprob_T;  // with gradient
  at::Tensor entropy_T;  // with gradient
  at::Tensor old_logprob_T;
  at::Tensor advantage_T;
  at::Tensor mask_T;            // bool
  at::Tensor weight_T;          // float64, of the reduction: 0 outside the mask
  at::Tensor ref_logprob_T;     // where kl is not 0
  at::Tensor rollout_weight_T;  // undefined: 1
  at::Tensor dropped_T;         // bool; undefined: none
  at::Tensor pulled_T;          // bool; undefined: none
};

struct TokenPolicyLoss {
  at::Tensor loss;  // scalar, float64; with gradient where a term has one
  at::Tensor sums;  // [kNumPolicyLossSums] float64
};

// All tensors on one device, results too; nothing is brought to the host. float32 and float64 on
// the CPU, float32 on CUDA; the oracle for other types and devices, and in reference mode.
TokenPolicyLoss token_policy_loss(const TokenPolicyLossInput& input, const PolicyLossTerms& terms);

}  // namespace covrl::kernels
