// Why entropy changes, to first order in the change of the policy (arXiv 2505.22617, section 3):
// for a softmax policy, dH = -Cov_{a ~ pi}(log pi(a), dz(a)) where the logits move by dz. Likely
// tokens that gain lower H, rare ones that gain raise it.
#pragma once

#include <ATen/core/Tensor.h>

#include <optional>
#include <vector>

namespace covrl {

// --- One state with all its actions: the theorems, over the last dimension. ---

// dH of a policy with these log-probs whose logits (or log-probs: a shift changes nothing) move by
// `change`. Error O(|change|^2).
at::Tensor first_order_entropy_change(const at::Tensor& logprob, const at::Tensor& change);
// Theorem 1: a step `eta` of policy gradient moves the logits by eta pi A.
at::Tensor policy_gradient_change(const at::Tensor& logprob, const at::Tensor& advantage,
                                  double eta);
// Theorem 2: a step `eta` of natural policy gradient moves them by eta A.
at::Tensor natural_gradient_change(const at::Tensor& logprob, const at::Tensor& advantage,
                                   double eta);

// --- Sampled tokens. Nothing outside the mask is read. ---

// Token means of the change of entropy in the states that were sampled.
struct SameStatesChange {
  double measured = 0;     // mean of H1 - H0
  double first_order = 0;  // -mean of (l0 + H0)(l1 - l0): the lemma, estimated with one action a
                           // state, whose expected log-prob is -H0
};
SameStatesChange same_states_change(const at::Tensor& old_logprob_T,
                                    const at::Tensor& old_entropy_T,
                                    const at::Tensor& new_logprob_T,
                                    const at::Tensor& new_entropy_T, const at::Tensor& mask_T);

// --- A run: entropy change of a step predicted from its covariance. ---

// The change over step s is predicted as -eta c, with c the step's covariance and eta fitted by
// least squares through the origin to the changes of earlier steps alone.
class ChangeForecast {
 public:
  struct Outcome {
    double measured = 0;
    std::optional<double> predicted, eta;  // none before two earlier changes are known
    std::optional<double> correlation;     // of -c and the changes so far, this one included
  };
  // The change that a step with this covariance turned out to make.
  Outcome add(double covariance, double change);

 private:
  std::vector<double> minus_covariance_, change_;
};

// Pearson's; none for fewer than three pairs or without spread.
std::optional<double> correlation(const std::vector<double>& x, const std::vector<double>& y);

}  // namespace covrl
