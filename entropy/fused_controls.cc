#include "entropy/fused_controls.h"

#include <ATen/ATen.h>

namespace covrl {

bool FusedControls::drop(const at::Tensor& selected_T) {
  if (!selected_T.defined()) return true;
  if (input_.pulled_T.defined() || terms_.entropy != 0) return false;
  input_.dropped_T = input_.dropped_T.defined() ? input_.dropped_T | selected_T : selected_T;
  return true;
}

bool FusedControls::pull(const at::Tensor& selected_T, kernels::LogprobPenalty penalty,
                         double coefficient) {
  if (!selected_T.defined()) return true;
  if (input_.pulled_T.defined() || terms_.entropy != 0) return false;
  input_.pulled_T = selected_T;
  terms_.pull = coefficient;
  terms_.pull_penalty = penalty;
  return true;
}

bool FusedControls::reward_entropy(double coefficient) {
  if (terms_.entropy != 0) return false;
  terms_.entropy = coefficient;
  return true;
}

}  // namespace covrl
