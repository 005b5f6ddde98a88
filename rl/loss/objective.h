// The objective of one micro-batch:
//   sum_t weight_t (controls(pg_loss_coeff * policy loss_t) + kl_loss_coef * KL_t),
// every term named once, so that the learner, tests and reference vectors compute the same
// function.
#pragma once

#include <ATen/core/Tensor.h>

#include <array>
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

// Sums over the micro-batch that add up over the micro-batches of a mini-batch. Loss parts are
// weighted by the reduction, the others count each loss token as 1.
enum class ObjectiveSum {
  kLoss,
  kPolicyLoss,
  kKlLoss,
  kEntropy,
  kOldMinusNew,
  kClipped,
  kDualClipped,
  kCount
};
constexpr size_t kNumObjectiveSums = static_cast<size_t>(ObjectiveSum::kCount);

struct ObjectiveValue {
  at::Tensor loss;  // scalar, double, with gradient
  at::Tensor sums;  // [kNumObjectiveSums] double, in the order of ObjectiveSum
};

// Nothing outside the mask is read, in value or gradient.
ObjectiveValue objective(const ObjectiveConfig& config, const PolicyLoss& loss,
                         const ControlStack& controls, const ObjectiveInput& input);

}  // namespace covrl
