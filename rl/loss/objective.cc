#include "rl/loss/objective.h"

#include <ATen/ATen.h>

#include "core/error.h"
#include "rl/loss/kl.h"
#include "rl/loss/ratio.h"
#include "rl/loss/reduction.h"

namespace covrl {

ObjectiveValue objective(const ObjectiveConfig& config, const PolicyLoss& loss,
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
    COVRL_CHECK(input.ref_logprob_T.defined(), "a KL term without reference log-probs");
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

}  // namespace covrl
