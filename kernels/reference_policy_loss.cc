#include "kernels/reference_policy_loss.h"

#include <ATen/ATen.h>

namespace covrl::kernels::reference {
namespace {

at::Tensor penalty(LogprobPenalty kind, const at::Tensor& x) {
  if (kind == LogprobPenalty::kAbs) return x.abs();
  if (kind == LogprobPenalty::kK1) return x;
  if (kind == LogprobPenalty::kK2) return 0.5 * x * x;
  const at::Tensor exponent = at::clamp(-x, -20, 20);
  return at::clamp(exponent.exp() - exponent - 1, -10, 10);
}

struct SurrogateTerm {
  at::Tensor value_T, clipped_T, dual_clipped_T;
};

SurrogateTerm surrogate(const at::Tensor& log_ratio, const at::Tensor& advantage,
                        const PolicyLossTerms& terms) {
  const at::Tensor ratio = at::clamp(log_ratio, -20, 20).exp();
  const at::Tensor plain = -advantage * ratio;
  const at::Tensor clipped = -advantage * at::clamp(ratio, terms.ratio_min, terms.ratio_max);
  const at::Tensor larger = at::maximum(plain, clipped);
  if (terms.ratio_cap == 0) return {larger, clipped > plain, at::zeros_like(plain, at::kBool)};
  const at::Tensor bound = -advantage * terms.ratio_cap;
  const at::Tensor capped = (advantage < 0) & (larger > bound);
  return {at::where(capped, bound, larger), clipped > plain, capped};
}

}  // namespace

TokenPolicyLoss token_policy_loss(const TokenPolicyLossInput& input, const PolicyLossTerms& terms) {
  const auto inside = [&](const at::Tensor& x_T) { return at::where(input.mask_T, x_T, 0.0); };
  const auto reduce = [&](const at::Tensor& term_T) {
    return (at::where(input.weight_T != 0, term_T, 0.0).to(at::kDouble) * input.weight_T).sum();
  };
  const auto count = [&](const at::Tensor& x_T) { return inside(x_T).to(at::kDouble).sum(); };
  const at::Tensor logprob = inside(input.logprob_T), entropy = inside(input.entropy_T);
  const at::Tensor old_logprob = inside(input.old_logprob_T);
  const at::Tensor log_ratio = inside(logprob - old_logprob);
  SurrogateTerm policy = surrogate(log_ratio, inside(input.advantage_T), terms);
  if (input.rollout_weight_T.defined())
    policy.value_T = policy.value_T * inside(input.rollout_weight_T);

  at::Tensor term = terms.policy == 0 ? at::zeros_like(entropy) : terms.policy * policy.value_T;
  if (input.dropped_T.defined()) term = at::where(input.dropped_T, 0.0, term);
  if (terms.pull != 0 && input.pulled_T.defined()) {
    const at::Tensor x = at::where(input.pulled_T, logprob - old_logprob, 0.0);
    term = at::where(input.pulled_T, term + terms.pull * penalty(terms.pull_penalty, x), term);
  }
  if (terms.entropy != 0) term = term - terms.entropy * entropy;
  at::Tensor kl = at::zeros_like(entropy);
  if (terms.kl != 0) {
    const at::Tensor x = logprob - inside(input.ref_logprob_T);
    const at::Tensor carrier = penalty(LogprobPenalty::kK2, x);
    kl = penalty(terms.kl_penalty, x);
    if (terms.kl_straight_through) kl = kl.detach() + (carrier - carrier.detach());
    term = term + terms.kl * kl;
  }

  const at::Tensor loss = reduce(term);
  const at::Tensor sums =
      at::stack({loss, reduce(policy.value_T), reduce(kl), count(entropy),
                 count(-at::clamp(log_ratio, -20, 20)), count(policy.clipped_T.to(at::kDouble)),
                 count(policy.dual_clipped_T.to(at::kDouble))});
  return {loss, sums.detach()};
}

}  // namespace covrl::kernels::reference
