// The terms of token_policy_loss, token by token, for the loops of each device: value, and gradient
// by the chain rule. No tensors here.
//
// Operations and their order are those of reference_policy_loss.cc under automatic differentiation:
// where roundings are the same, so are the bits.
#pragma once

#include <cstddef>
#include <limits>

#include "kernels/host_device.h"

namespace covrl::kernels {

// How far a log-prob is from another, x = logprob - other: |x|; x; x^2/2; exp(-x) + x - 1 with the
// exponent bounded to +-20 and the value to +-10.
enum class LogprobPenalty { kAbs, kK1, kK2, kK3 };

// What the loss is made of; a coefficient of 0 leaves its term out.
struct PolicyLossTerms {
  double policy = 1;
  // The ratio is clipped to [ratio_min, ratio_max], where that makes the loss larger.
  double ratio_min = -std::numeric_limits<double>::infinity();
  double ratio_max = std::numeric_limits<double>::infinity();
  double ratio_cap =
      0;  // dual clip: a negative advantage costs at most this times its size; 0: off

  double pull = 0;
  LogprobPenalty pull_penalty = LogprobPenalty::kAbs;
  double entropy = 0;
  double kl = 0;
  LogprobPenalty kl_penalty = LogprobPenalty::kK3;
  bool kl_straight_through = false;  // the gradient of kK2 with the value of kl_penalty
};

// Sums over the tokens. Loss parts are weighted, the others count each token of the mask as 1.
enum class PolicyLossSum {
  kLoss,
  kPolicyLoss,  // before coefficient and selections
  kKlLoss,      // before coefficient
  kEntropy,
  kOldMinusNew,  // bounded log-ratio, negative
  kClipped,
  kDualClipped,
  kCount
};
inline constexpr size_t kNumPolicyLossSums = static_cast<size_t>(PolicyLossSum::kCount);

// The numbers of PolicyLossTerms in the precision of the loop.
template <class Real>
struct PolicyLossScalars {
  Real policy, ratio_min, ratio_max, ratio_cap, pull, entropy, kl;
};

template <class Real>
PolicyLossScalars<Real> scalars_of(const PolicyLossTerms& terms) {
  return {static_cast<Real>(terms.policy),    static_cast<Real>(terms.ratio_min),
          static_cast<Real>(terms.ratio_max), static_cast<Real>(terms.ratio_cap),
          static_cast<Real>(terms.pull),      static_cast<Real>(terms.entropy),
          static_cast<Real>(terms.kl)};
}

// Within [low, high]; NaN stays NaN.
template <class Real>
COVRL_TOKEN_FUNCTION Real bounded(Real x, Real low, Real high) {
  return x < low ? low : (x > high ? high : x);
}

// The exponents that are taken of log-ratios and penalties.
template <class Real>
COVRL_TOKEN_FUNCTION Real bounded_exponent(Real x) {
  return bounded(x, Real(-20), Real(20));
}

template <class Real>
struct Surrogate {
  Real value, gradient;        // gradient: with respect to the log-prob
  Real clipped, dual_clipped;  // 1 or 0
};

// -A r, clipped; ratio = exp(bounded_exponent(log_ratio)). `upstream`: gradient of the loss with
// respect to the value. Equal branches of the maximum share the gradient, and a bound that is
// reached lets none through.
template <class Real>
COVRL_TOKEN_FUNCTION Surrogate<Real> surrogate(Real log_ratio, Real ratio, Real advantage,
                                               const PolicyLossScalars<Real>& scalars,
                                               Real upstream) {
  const Real plain = -advantage * ratio;
  const Real clipped = -advantage * bounded(ratio, scalars.ratio_min, scalars.ratio_max);
  const Real larger = clipped > plain ? clipped : plain;
  const Real bound = -advantage * scalars.ratio_cap;
  // A negative advantage has a positive bound; the cap 0 has none.
  const Real capped = bound > 0 ? (larger > bound ? Real(1) : Real(0)) : Real(0);
  Real share = plain > clipped ? Real(1) : (plain == clipped ? Real(0.5) : Real(0));
  share = ratio > scalars.ratio_min ? (ratio < scalars.ratio_max ? Real(1) : share) : share;
  Real gradient = share * upstream * -advantage * ratio;
  gradient = log_ratio > Real(-20) ? (log_ratio < Real(20) ? gradient : Real(0)) : Real(0);
  return {capped != 0 ? bound : larger, capped != 0 ? Real(0) : gradient,
          clipped > plain ? Real(1) : Real(0), capped};
}

template <class Real>
struct Penalty {
  Real value, gradient;  // gradient: with respect to x
};

template <class Real>
COVRL_TOKEN_FUNCTION Penalty<Real> abs_penalty(Real x, Real upstream) {
  const Real sign = x > 0 ? Real(1) : (x < 0 ? Real(-1) : Real(0));
  return {x < 0 ? -x : x, upstream * sign};
}

template <class Real>
COVRL_TOKEN_FUNCTION Penalty<Real> k2_penalty(Real x, Real upstream) {
  return {Real(0.5) * x * x, upstream * x};
}

// exponential = exp(bounded_exponent(-x)).
template <class Real>
COVRL_TOKEN_FUNCTION Penalty<Real> k3_penalty(Real x, Real exponential, Real upstream) {
  const Real value = exponential + x - 1;
  const Real gradient = upstream - upstream * exponential;
  return {bounded(value, Real(-10), Real(10)),
          value > Real(-10) ? (value < Real(10) ? gradient : Real(0)) : Real(0)};
}

}  // namespace covrl::kernels
