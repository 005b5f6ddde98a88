#include "kernels/token_policy_loss_cpu.h"

#include <algorithm>

#include "kernels/vector_clones.h"

namespace covrl::kernels {
namespace {

// Tokens that go through all terms while their values are in the nearest cache.
constexpr int64_t kChunk = 256;
// Sums are kept in as many parts as the widest vectors hold, so that all processors add alike.
constexpr int64_t kLanes = 16;

// One chunk on its way through the terms; 0 outside the mask. Flags are 1 or 0 in Real, so that a
// vector holds as many of them as of the values that they choose among.
template <class Real>
struct Chunk {
  Real inside[kChunk], dropped[kChunk], pulled[kChunk];
  Real log_ratio[kChunk];
  Real upstream[kChunk];     // gradient of the loss with respect to a token's value
  Real value[kChunk];        // the token's value, so far
  Real surrogate[kChunk];    // what kPolicyLoss sums
  Real grad_policy[kChunk];  // with respect to the log-prob, by term
  Real grad_penalties[kChunk];
  Real penalty[kChunk];  // what kKlLoss sums
  Real entropy[kChunk];
  Real clipped[kChunk], dual_clipped[kChunk];
  double weight[kChunk];
};

struct LaneSums {
  double lanes[kNumPolicyLossSums][kLanes] = {};
};

template <class Real>
COVRL_INLINE void read_flags(const bool* flags, int64_t first, int64_t count,
                             Real* __restrict values) {
  const auto* __restrict bytes = reinterpret_cast<const unsigned char*>(flags);
  for (int64_t i = 0; i < count; ++i) values[i] = flags == nullptr ? 0 : bytes[first + i];
}

template <class Real>
COVRL_INLINE Real choose(Real flag, Real value, Real otherwise) {
  return flag != 0 ? value : otherwise;
}

template <class Real>
COVRL_INLINE void read_chunk(const PolicyLossRange<Real>& range, int64_t first, int64_t count,
                             Chunk<Real>& chunk) {
  read_flags(range.mask, first, count, chunk.inside);
  read_flags(range.dropped, first, count, chunk.dropped);
  read_flags(range.pulled, first, count, chunk.pulled);
  const Real* __restrict logprob = range.logprob + first;
  const Real* __restrict old_logprob = range.old_logprob + first;
  const double* __restrict weight = range.weight + first;
  for (int64_t i = 0; i < count; ++i)
    chunk.log_ratio[i] = choose(chunk.inside[i], logprob[i] - old_logprob[i], Real(0));
  for (int64_t i = 0; i < count; ++i)
    chunk.upstream[i] = choose(chunk.inside[i], static_cast<Real>(weight[i]), Real(0));
  for (int64_t i = 0; i < count; ++i)
    chunk.weight[i] = choose(static_cast<double>(chunk.inside[i]), weight[i], 0.0);
  for (int64_t i = 0; i < count; ++i)
    chunk.value[i] = chunk.grad_policy[i] = chunk.grad_penalties[i] = chunk.penalty[i] = 0;
}

template <class Real>
COVRL_INLINE void policy_term(const PolicyLossRange<Real>& range, int64_t first, int64_t count,
                              const PolicyLossScalars<Real>& scalars, const Real* __restrict ratio,
                              Chunk<Real>& chunk) {
  const Real* __restrict advantage = range.advantage + first;
  Real factor[kChunk], upstream[kChunk];
  for (int64_t i = 0; i < count; ++i) factor[i] = 1;
  if (range.rollout_weight != nullptr)
    for (int64_t i = 0; i < count; ++i)
      factor[i] = choose(chunk.inside[i], range.rollout_weight[first + i], Real(0));
  for (int64_t i = 0; i < count; ++i)
    upstream[i] = choose(chunk.dropped[i], Real(0), chunk.upstream[i] * scalars.policy * factor[i]);
  for (int64_t i = 0; i < count; ++i) {
    const Surrogate<Real> token =
        surrogate(chunk.log_ratio[i], ratio[i], choose(chunk.inside[i], advantage[i], Real(0)),
                  scalars, upstream[i]);
    chunk.surrogate[i] = token.value * factor[i];
    chunk.grad_policy[i] = token.gradient;
    chunk.clipped[i] = token.clipped;
    chunk.dual_clipped[i] = token.dual_clipped;
  }
  const bool left_out = scalars.policy == 0;
  for (int64_t i = 0; i < count; ++i) {
    const Real value = choose(chunk.dropped[i], Real(0), scalars.policy * chunk.surrogate[i]);
    chunk.value[i] = left_out ? Real(0) : value;
    chunk.grad_policy[i] = left_out ? Real(0) : chunk.grad_policy[i];
  }
}

// penalties[i] = function(i) for each token; value and gradient go where they are wanted.
template <class Real, class Function>
COVRL_INLINE void each_penalty(int64_t count, Real* __restrict value, Real* __restrict gradient,
                               const Function& function) {
  for (int64_t i = 0; i < count; ++i) {
    const Penalty<Real> token = function(i);
    value[i] = token.value;
    gradient[i] = token.gradient;
  }
}

template <class Real>
COVRL_INLINE void penalties(LogprobPenalty kind, int64_t count, const Real* __restrict x,
                            const Real* __restrict exponential, const Real* __restrict upstream,
                            Real* __restrict value, Real* __restrict gradient) {
  if (kind == LogprobPenalty::kAbs)
    each_penalty(count, value, gradient,
                 [&](int64_t i) COVRL_INLINE_BODY { return abs_penalty(x[i], upstream[i]); });
  else if (kind == LogprobPenalty::kK1)
    each_penalty(count, value, gradient, [&](int64_t i) COVRL_INLINE_BODY {
      return Penalty<Real>{x[i], upstream[i]};
    });
  else if (kind == LogprobPenalty::kK2)
    each_penalty(count, value, gradient,
                 [&](int64_t i) COVRL_INLINE_BODY { return k2_penalty(x[i], upstream[i]); });
  else
    each_penalty(count, value, gradient, [&](int64_t i) COVRL_INLINE_BODY {
      return k3_penalty(x[i], exponential[i], upstream[i]);
    });
}

template <class Real>
COVRL_INLINE void pull_term(int64_t count, const PolicyLossTerms& terms, Real coefficient,
                            const Real* __restrict exponential, Chunk<Real>& chunk) {
  Real x[kChunk], upstream[kChunk], value[kChunk];
  for (int64_t i = 0; i < count; ++i) {
    x[i] = choose(chunk.pulled[i], chunk.log_ratio[i], Real(0));
    upstream[i] = choose(chunk.pulled[i], chunk.upstream[i] * coefficient, Real(0));
  }
  penalties(terms.pull_penalty, count, x, exponential, upstream, value, chunk.grad_penalties);
  for (int64_t i = 0; i < count; ++i)
    chunk.value[i] =
        choose(chunk.pulled[i], chunk.value[i] + coefficient * value[i], chunk.value[i]);
}

template <class Real>
COVRL_INLINE void entropy_term(const PolicyLossRange<Real>& range, int64_t first, int64_t count,
                               Real coefficient, Chunk<Real>& chunk) {
  const Real* __restrict entropy = range.entropy + first;
  for (int64_t i = 0; i < count; ++i)
    chunk.entropy[i] = choose(chunk.inside[i], entropy[i], Real(0));
  if (range.grad_entropy != nullptr) {
    Real* __restrict gradient = range.grad_entropy + first;
    for (int64_t i = 0; i < count; ++i) gradient[i] = -chunk.upstream[i] * coefficient;
  }
  if (coefficient == 0) return;
  for (int64_t i = 0; i < count; ++i) chunk.value[i] -= coefficient * chunk.entropy[i];
}

template <class Real>
COVRL_INLINE void kl_term(const PolicyLossRange<Real>& range, int64_t first, int64_t count,
                          const PolicyLossTerms& terms, Real coefficient,
                          const Real* __restrict exponential, Chunk<Real>& chunk) {
  const Real* __restrict logprob = range.logprob + first;
  const Real* __restrict ref_logprob = range.ref_logprob + first;
  Real x[kChunk], upstream[kChunk], gradient[kChunk];
  for (int64_t i = 0; i < count; ++i) {
    x[i] = choose(chunk.inside[i], logprob[i] - ref_logprob[i], Real(0));
    upstream[i] = chunk.upstream[i] * coefficient;
  }
  penalties(terms.kl_penalty, count, x, exponential, upstream, chunk.penalty, gradient);
  if (terms.kl_straight_through)
    for (int64_t i = 0; i < count; ++i) gradient[i] = upstream[i] * x[i];
  for (int64_t i = 0; i < count; ++i) {
    chunk.value[i] += coefficient * chunk.penalty[i];
    chunk.grad_penalties[i] = gradient[i] + chunk.grad_penalties[i];
  }
}

// lanes[i % kLanes] += value(i)
template <class Function>
COVRL_INLINE void add_to_lanes(int64_t count, double* __restrict lanes, const Function& value) {
  int64_t first = 0;
  for (; first + kLanes <= count; first += kLanes)
    for (int64_t lane = 0; lane < kLanes; ++lane) lanes[lane] += value(first + lane);
  for (int64_t lane = 0; first + lane < count; ++lane) lanes[lane] += value(first + lane);
}

template <class Real>
COVRL_INLINE void add_weighted(const Real* __restrict value, const double* __restrict weight,
                               int64_t count, double* __restrict lanes) {
  add_to_lanes(count, lanes, [&](int64_t i) COVRL_INLINE_BODY {
    return static_cast<double>(value[i]) * weight[i];
  });
}

template <class Real>
COVRL_INLINE void add_plain(const Real* __restrict value, int64_t count, double* __restrict lanes) {
  add_to_lanes(count, lanes,
               [&](int64_t i) COVRL_INLINE_BODY { return static_cast<double>(value[i]); });
}

template <class Real>
COVRL_INLINE void add_chunk(const Chunk<Real>& chunk, int64_t count, bool has_kl, LaneSums& sums) {
  const auto lanes = [&](PolicyLossSum sum)
                         COVRL_INLINE_BODY { return sums.lanes[static_cast<size_t>(sum)]; };
  add_weighted(chunk.value, chunk.weight, count, lanes(PolicyLossSum::kLoss));
  add_weighted(chunk.surrogate, chunk.weight, count, lanes(PolicyLossSum::kPolicyLoss));
  if (has_kl) add_weighted(chunk.penalty, chunk.weight, count, lanes(PolicyLossSum::kKlLoss));
  add_plain(chunk.entropy, count, lanes(PolicyLossSum::kEntropy));
  add_to_lanes(count, lanes(PolicyLossSum::kOldMinusNew), [&](int64_t i) COVRL_INLINE_BODY {
    return static_cast<double>(-bounded_exponent(chunk.log_ratio[i]));
  });
  add_plain(chunk.clipped, count, lanes(PolicyLossSum::kClipped));
  add_plain(chunk.dual_clipped, count, lanes(PolicyLossSum::kDualClipped));
}

template <class Real>
COVRL_INLINE void block_body(const PolicyLossRange<Real>& range, const PolicyLossTerms& terms,
                             const PolicyLossExponents<Real>& exponentials, LaneSums& sums) {
  const PolicyLossScalars<Real> scalars = scalars_of<Real>(terms);
  Chunk<Real> chunk;
  for (int64_t first = 0; first < range.count; first += kChunk) {
    const int64_t count = std::min(kChunk, range.count - first);
    const auto of = [&](PolicyLossExponent row) COVRL_INLINE_BODY {
      const Real* values = exponentials.rows[static_cast<size_t>(row)];
      return values == nullptr ? values : values + first;
    };
    read_chunk(range, first, count, chunk);
    policy_term(range, first, count, scalars, of(PolicyLossExponent::kRatio), chunk);
    if (range.pulled != nullptr)
      pull_term(count, terms, scalars.pull, of(PolicyLossExponent::kPull), chunk);
    entropy_term(range, first, count, scalars.entropy, chunk);
    if (range.ref_logprob != nullptr)
      kl_term(range, first, count, terms, scalars.kl, of(PolicyLossExponent::kKl), chunk);
    add_chunk(chunk, count, range.ref_logprob != nullptr, sums);
    if (range.grad_logprob == nullptr) continue;
    Real* __restrict gradient = range.grad_logprob + first;
    for (int64_t i = 0; i < count; ++i)
      gradient[i] = chunk.grad_penalties[i] + chunk.grad_policy[i];
  }
}

template <class Real>
COVRL_INLINE void exponents_body(const PolicyLossRange<Real>& range, Real* __restrict ratio,
                                 Real* __restrict pull, Real* __restrict kl) {
  for (int64_t first = 0; first < range.count; first += kChunk) {
    const int64_t count = std::min(kChunk, range.count - first);
    const Real* __restrict logprob = range.logprob + first;
    const Real* __restrict old_logprob = range.old_logprob + first;
    Real inside[kChunk], pulled[kChunk];
    read_flags(range.mask, first, count, inside);
    for (int64_t i = 0; i < count; ++i)
      ratio[first + i] = choose(inside[i], bounded_exponent(logprob[i] - old_logprob[i]), Real(0));
    if (pull != nullptr) {
      read_flags(range.pulled, first, count, pulled);
      for (int64_t i = 0; i < count; ++i)
        pull[first + i] = choose(pulled[i], -ratio[first + i], Real(0));
    }
    if (kl == nullptr) continue;
    const Real* __restrict ref_logprob = range.ref_logprob + first;
    for (int64_t i = 0; i < count; ++i)
      kl[first + i] = choose(inside[i], bounded_exponent(ref_logprob[i] - logprob[i]), Real(0));
  }
}

}  // namespace

template <class Real>
void policy_loss_exponents(const PolicyLossRange<Real>& range,
                           const PolicyLossExponents<Real>& exponents) {
  run_vectorised([&]() COVRL_INLINE_BODY {
    exponents_body(range, exponents.rows[0], exponents.rows[1], exponents.rows[2]);
  });
}

template <class Real>
PolicyLossSums policy_loss_block(const PolicyLossRange<Real>& range, const PolicyLossTerms& terms,
                                 const PolicyLossExponents<Real>& exponentials) {
  LaneSums sums;
  run_vectorised([&]() COVRL_INLINE_BODY { block_body(range, terms, exponentials, sums); });
  PolicyLossSums totals = {};
  for (size_t sum = 0; sum < kNumPolicyLossSums; ++sum)
    for (const double lane : sums.lanes[sum]) totals[sum] += lane;
  return totals;
}

template void policy_loss_exponents(const PolicyLossRange<float>&,
                                    const PolicyLossExponents<float>&);
template void policy_loss_exponents(const PolicyLossRange<double>&,
                                    const PolicyLossExponents<double>&);
template PolicyLossSums policy_loss_block(const PolicyLossRange<float>&, const PolicyLossTerms&,
                                          const PolicyLossExponents<float>&);
template PolicyLossSums policy_loss_block(const PolicyLossRange<double>&, const PolicyLossTerms&,
                                          const PolicyLossExponents<double>&);

}  // namespace covrl::kernels
