#include "rl/loss/objective.h"

#include <ATen/ATen.h>

#include <optional>

#include "core/error.h"
#include "kernels/token_policy_loss.h"
#include "rl/loss/kl.h"
#include "rl/loss/ratio.h"
#include "rl/loss/reduction.h"

namespace covrl {
namespace {

// The objective as the fused op takes it; none where loss or controls have no form in it.
struct FusedObjective {
  kernels::TokenPolicyLossInput input;
  kernels::PolicyLossTerms terms;
};
std::optional<FusedObjective> fused_form(const ObjectiveConfig& config, const PolicyLoss& loss,
                                         const ControlStack& controls,
                                         const ObjectiveInput& input) {
  FusedObjective fused;
  fused.input.logprob_T = input.policy.logprob_T;
  fused.input.entropy_T = input.entropy_T;
  fused.input.old_logprob_T = input.policy.old_logprob_T;
  fused.input.advantage_T = input.policy.advantage_T;
  fused.input.mask_T = input.policy.mask_T;
  fused.input.weight_T = input.weight_T;
  fused.input.ref_logprob_T = input.ref_logprob_T;
  fused.input.rollout_weight_T = input.rollout_weight_T;
  fused.terms.policy = config.pg_loss_coeff;
  if (config.kl_loss_coef != 0) fuse_kl(config.kl_loss_type, config.kl_loss_coef, fused.terms);
  FusedControls shaped(fused.input, fused.terms);
  if (!loss.fuse(fused.terms) || !controls.fuse(input.selected, shaped)) return std::nullopt;
  return fused;
}

ObjectiveValue by_tensors(const ObjectiveConfig& config, const PolicyLoss& loss,
                          const ControlStack& controls, const ObjectiveInput& input) {
  const at::Tensor& mask = input.policy.mask_T;
  const auto inside = [&mask](const at::Tensor& value) { return at::where(mask, value, 0.0); };
  const LossInput policy{inside(input.policy.logprob_T), inside(input.policy.old_logprob_T),
                         inside(input.policy.advantage_T), mask, input.policy.offsets};
  const at::Tensor entropy_T = inside(input.entropy_T);
  LossTerms terms = loss.terms(policy);
  if (input.rollout_weight_T.defined())
    terms.loss_T = terms.loss_T * loss.weight(policy, inside(input.rollout_weight_T));

  // A coefficient of 0 leaves the term out altogether: 0 times its gradient could still be NaN.
  const at::Tensor policy_T =
      config.pg_loss_coeff == 0 ? at::zeros_like(entropy_T) : config.pg_loss_coeff * terms.loss_T;
  at::Tensor total_T = controls.apply(
      {policy_T, policy.logprob_T, policy.old_logprob_T, entropy_T, {}}, input.selected);
  at::Tensor kl_T = at::zeros_like(entropy_T);
  if (config.kl_loss_coef != 0) {
    kl_T = kl_term(config.kl_loss_type, policy.logprob_T, inside(input.ref_logprob_T));
    total_T = total_T + config.kl_loss_coef * kl_T;
  }

  ObjectiveValue value;
  value.loss = reduce(total_T, input.weight_T);
  const auto count = [&mask](const at::Tensor& term) {
    return at::where(mask, term, 0.0).to(at::kDouble).sum();
  };
  value.sums =
      at::stack({value.loss.detach(), reduce(terms.loss_T, input.weight_T).detach(),
                 reduce(kl_T, input.weight_T).detach(), count(entropy_T).detach(),
                 count(-bounded_log_ratio(policy)).detach(), count(terms.clipped_T.to(at::kDouble)),
                 count(terms.dual_clipped_T.to(at::kDouble))});
  return value;
}

}  // namespace

ObjectiveValue objective(const ObjectiveConfig& config, const PolicyLoss& loss,
                         const ControlStack& controls, const ObjectiveInput& input) {
  COVRL_CHECK(config.kl_loss_coef == 0 || input.ref_logprob_T.defined(),
              "a KL term without reference log-probs");
  const std::optional<FusedObjective> fused = fused_form(config, loss, controls, input);
  if (!fused) return by_tensors(config, loss, controls, input);
  const kernels::TokenPolicyLoss value = kernels::token_policy_loss(fused->input, fused->terms);
  return {value.loss, value.sums};
}

}  // namespace covrl
