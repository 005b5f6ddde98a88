// The objective of one micro-batch:
//   sum_t weight_t (controls(pg_loss_coeff * policy loss_t) + kl_loss_coef * KL_t),
// every term named once, so that the learner, tests and reference vectors compute the same
// function.
#pragma once

#include <ATen/core/Tensor.h>

#include <string>
#include <vector>

#include "entropy/control_stack.h"
#include "rl/loss/policy_loss.h"

namespace covrl {

struct ObjectiveConfig {
  double pg_loss_coeff = 1;
  double kl_loss_coef = 0;
  std::string kl_loss_type = "k3";
};

// All [T].
struct ObjectiveInput {
  LossInput policy;
  at::Tensor entropy_T;              // with gradient
  at::Tensor ref_logprob_T;          // undefined when kl_loss_coef is 0
  at::Tensor weight_T;               // reduction_weights of the mini-batch, double
  at::Tensor rollout_weight_T;       // off-policy weights; undefined: 1
  std::vector<at::Tensor> selected;  // of every entropy control here (ControlStack::select)
};

// Sums over the micro-batch that add up over the micro-batches of a mini-batch.
using ObjectiveSum = kernels::PolicyLossSum;
constexpr size_t kNumObjectiveSums = kernels::kNumPolicyLossSums;

struct ObjectiveValue {
  at::Tensor loss;  // scalar, double, with gradient
  at::Tensor sums;  // [kNumObjectiveSums] double, in the order of ObjectiveSum
};

// In one pass of kernels/token_policy_loss.h where loss and controls have a form in it, else term
// by term on tensors: the same gradient to the bit in float32. Nothing outside the mask is read, in
// value or gradient.
ObjectiveValue objective(const ObjectiveConfig& config, const PolicyLoss& loss,
                         const ControlStack& controls, const ObjectiveInput& input);

}  // namespace covrl
