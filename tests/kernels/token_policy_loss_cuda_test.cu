#include "kernels/token_policy_loss_cuda.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "tests/kernels/cuda_support.h"

namespace covrl::kernels {
namespace {

constexpr double kEpsilon = 0x1p-24;
// Of the log-probs and advantages of a mini-batch, as an earlier launch leaves them.
constexpr double kMeanLogprob = -1.4, kMeanAdvantage = 0.03;
__global__ void leave_means(double* means) {
  means[0] = kMeanLogprob;
  means[1] = kMeanAdvantage;
}

struct Case {
  std::string name;
  PolicyLossTerms terms;
  bool rollout_weight = false, dropped = false, pulled = false;
};

PolicyLossTerms clipped(double cap) {
  PolicyLossTerms terms;
  terms.ratio_min = 0.8;
  terms.ratio_max = 1.28;
  terms.ratio_cap = cap;
  return terms;
}

Case with_penalties(LogprobPenalty penalty, bool straight_through) {
  PolicyLossTerms terms = clipped(3);
  terms.policy = 0.7;
  terms.pull = 1.3;
  terms.kl = 0.05;
  terms.pull_penalty = terms.kl_penalty = penalty;
  terms.kl_straight_through = straight_through;
  terms.entropy = straight_through ? 0 : 0.01;
  return {"penalty " + std::to_string(static_cast<int>(penalty)), terms, straight_through, true,
          true};
}

std::vector<Case> cases() {
  PolicyLossTerms no_policy = clipped(3);
  no_policy.policy = 0;
  no_policy.entropy = 0.01;
  std::vector<Case> all = {{"clip", clipped(0)},
                           {"dual clip", clipped(3), true},
                           {"unclipped", {}},
                           {"none", no_policy}};
  for (const LogprobPenalty penalty :
       {LogprobPenalty::kAbs, LogprobPenalty::kK1, LogprobPenalty::kK2, LogprobPenalty::kK3})
    for (const bool straight_through : {false, true})
      all.push_back(with_penalties(penalty, straight_through));
  return all;
}

// The columns of a problem; outside the mask nothing is a number.
struct Problem {
  std::vector<float> logprob, old_logprob, advantage, entropy, reference, rollout;
  std::vector<char> mask, dropped, pulled;
  std::vector<double> weight;

  Problem(int64_t count, double share_inside) {
    std::mt19937 engine(static_cast<unsigned>(count));
    std::uniform_real_distribution<double> uniform(0, 1);
    std::normal_distribution<double> normal(0, 1);
    for (int64_t t = 0; t < count; ++t) {
      const bool inside = uniform(engine) < share_inside;
      const auto number = [inside](double x) {
        return inside ? static_cast<float>(x) : std::nanf("");
      };
      const double l = -3 * uniform(engine);
      const bool extreme = uniform(engine) < 0.02;
      logprob.push_back(number(l));
      old_logprob.push_back(number(l + (extreme ? 25 : 0.5) * normal(engine)));
      advantage.push_back(number(normal(engine)));
      entropy.push_back(number(uniform(engine)));
      reference.push_back(number(l + 2 * normal(engine)));
      rollout.push_back(number(2 * uniform(engine)));
      mask.push_back(inside);
      dropped.push_back(inside && uniform(engine) < 0.1);
      pulled.push_back(inside && uniform(engine) < 0.3);
      weight.push_back(inside ? uniform(engine) / static_cast<double>(count) : 0);
    }
  }
};

// A number, and by how much float arithmetic may miss it.
struct Bounded {
  double value = 0, error = 0;
  void add(double x, double roundings) {
    value += x;
    error += std::abs(x) * roundings * kEpsilon;
  }
};

struct Exact {
  Bounded value, surrogate, penalty;
  Bounded grad_logprob, grad_entropy;
  double old_minus_new = 0;
  bool clipped = false, dual_clipped = false;
};

struct ExactPenalty {
  double value, slope, size, slope_size;  // sizes: of the parts that are added up
};
ExactPenalty exact_penalty(LogprobPenalty kind, double x) {
  if (kind == LogprobPenalty::kAbs) return {std::abs(x), x > 0 ? 1.0 : -1.0, std::abs(x), 1};
  if (kind == LogprobPenalty::kK1) return {x, 1, std::abs(x), 1};
  if (kind == LogprobPenalty::kK2) return {x * x / 2, x, x * x, std::abs(x)};
  const double e = std::exp(std::clamp(-x, -20.0, 20.0)), value = e + x - 1;
  const double size = e + std::abs(x) + 1;
  if (std::abs(value) > 10) return {10, 0, 10, 0};
  return {value, 1 - e, size, 1 + e};
}

// The definition of token_policy_loss.h in double. An exponential misses by the rounding of its
// exponent too, hence the sizes of exponents among the roundings.
Exact exact_token(const Problem& p, const Case& one, size_t t) {
  const PolicyLossTerms& terms = one.terms;
  const double d = static_cast<double>(p.logprob[t]) - p.old_logprob[t];
  const double exponent = std::clamp(d, -20.0, 20.0), ratio = std::exp(exponent);
  const double a = p.advantage[t], rollout = one.rollout_weight ? p.rollout[t] : 1;
  const double plain = -a * ratio;
  const double clip = -a * std::clamp(ratio, terms.ratio_min, terms.ratio_max);
  const double bound = -a * terms.ratio_cap, roundings = 10 + std::abs(exponent);
  Exact exact;
  exact.old_minus_new = -exponent;
  exact.clipped = clip > plain;
  exact.dual_clipped = terms.ratio_cap > 0 && a < 0 && std::max(plain, clip) > bound;
  const double value = exact.dual_clipped ? bound : std::max(plain, clip);
  const bool dropped = one.dropped && p.dropped[t], pulled = one.pulled && p.pulled[t];
  exact.surrogate.add(value * rollout, roundings);
  const bool moves = !dropped && !exact.clipped && !exact.dual_clipped && std::abs(d) < 20;
  if (!dropped) exact.value.add(terms.policy * value * rollout, roundings);
  if (moves) exact.grad_logprob.add(p.weight[t] * terms.policy * rollout * plain, roundings);
  const auto penalise = [&](LogprobPenalty kind, double x, double coefficient, bool k2_slope) {
    const ExactPenalty penalty = exact_penalty(kind, x);
    const double size = roundings + std::abs(x);
    exact.value.add(coefficient * penalty.value, 0);
    exact.value.error += coefficient * penalty.size * size * kEpsilon;
    const double slope = k2_slope ? x : penalty.slope;
    const double slope_size = k2_slope ? std::abs(x) : penalty.slope_size;
    exact.grad_logprob.add(p.weight[t] * coefficient * slope, 0);
    exact.grad_logprob.error += p.weight[t] * coefficient * slope_size * size * kEpsilon;
    return penalty;
  };
  if (pulled) penalise(terms.pull_penalty, d, terms.pull, false);
  if (terms.kl != 0) {
    const double x = static_cast<double>(p.logprob[t]) - p.reference[t];
    const ExactPenalty kl = penalise(terms.kl_penalty, x, terms.kl, terms.kl_straight_through);
    exact.penalty.value = kl.value;
    exact.penalty.error = kl.size * (roundings + std::abs(x)) * kEpsilon;
  }
  exact.value.add(-terms.entropy * p.entropy[t], roundings);
  exact.grad_entropy.add(-p.weight[t] * terms.entropy, roundings);
  return exact;
}

struct Outcome {
  std::vector<float> grad_logprob, grad_entropy;
  std::vector<double> sums;
};

// A copy on the device, `offset` elements into its buffer.
template <class T>
class Column {
 public:
  template <class U>
  Column(const std::vector<U>& host, int64_t offset) : offset_(offset), buffer_(shifted(host)) {}
  T* data() { return buffer_.data() + offset_; }

 private:
  template <class U>
  std::vector<T> shifted(const std::vector<U>& host) const {
    std::vector<T> all(static_cast<size_t>(offset_), T());
    all.insert(all.end(), host.begin(), host.end());
    all.push_back(T());
    return all;
  }
  int64_t offset_;
  DeviceBuffer<T> buffer_;
};

Outcome run(const Problem& p, const Case& one, int64_t offset = 0) {
  const int64_t count = static_cast<int64_t>(p.logprob.size());
  Column<float> logprob(p.logprob, offset), old_logprob(p.old_logprob, offset),
      advantage(p.advantage, offset), entropy(p.entropy, offset), reference(p.reference, offset),
      rollout(p.rollout, offset);
  Column<char> mask(p.mask, offset), dropped(p.dropped, offset), pulled(p.pulled, offset);
  Column<double> weight(p.weight, offset);
  const int64_t num_blocks = policy_loss_blocks(count);
  DeviceBuffer<float> grad_logprob(count + 1), grad_entropy(count + 1);
  DeviceBuffer<double> partial(kNumPolicyLossCudaSums * num_blocks + 1),
      sums(kNumPolicyLossCudaSums), means(2);
  leave_means<<<1, 1>>>(means.data());
  TokenPolicyLossCuda in;
  in.logprob_T = logprob.data();
  in.old_logprob_T = old_logprob.data();
  in.advantage_T = advantage.data();
  in.entropy_T = entropy.data();
  if (one.terms.kl != 0) in.ref_logprob_T = reference.data();
  if (one.rollout_weight) in.rollout_weight_T = rollout.data();
  in.mask_T = reinterpret_cast<const bool*>(mask.data());
  if (one.dropped) in.dropped_T = reinterpret_cast<const bool*>(dropped.data());
  if (one.pulled) in.pulled_T = reinterpret_cast<const bool*>(pulled.data());
  in.weight_T = weight.data();
  in.num_tokens = count;
  in.terms = one.terms;
  in.grad_logprob_T = grad_logprob.data() + offset;
  in.grad_entropy_T = one.terms.entropy != 0 ? grad_entropy.data() + offset : nullptr;
  in.mean_logprob = means.data();
  in.mean_advantage = means.data() + 1;
  in.partial_sums = partial.data();
  in.sums = sums.data();
  check_cuda(token_policy_loss_cuda(in, nullptr));
  Outcome outcome{{}, {}, sums.host()};
  const auto part = [&](const DeviceBuffer<float>& buffer) {
    const std::vector<float> all = buffer.host();
    return std::vector<float>(all.begin() + offset, all.begin() + offset + count);
  };
  outcome.grad_logprob = part(grad_logprob);
  if (one.terms.entropy != 0) outcome.grad_entropy = part(grad_entropy);
  return outcome;
}

void expect_matches_double(const Problem& p, const Case& one, const Outcome& seen) {
  std::array<Bounded, kNumPolicyLossCudaSums> sums = {};
  const auto add_to = [&](size_t sum, double value, double error) {
    sums[sum].value += value;
    sums[sum].error += error + 0x1p-50 * std::abs(value);
  };
  const auto add = [&](PolicyLossSum sum, double value, double error) {
    add_to(static_cast<size_t>(sum), value, error);
  };
  for (size_t t = 0; t < p.mask.size(); ++t) {
    if (!p.mask[t]) {
      EXPECT_EQ(seen.grad_logprob[t], 0);
      continue;
    }
    const Exact exact = exact_token(p, one, t);
    EXPECT_NEAR(seen.grad_logprob[t], exact.grad_logprob.value, exact.grad_logprob.error) << t;
    if (one.terms.entropy != 0) {
      EXPECT_NEAR(seen.grad_entropy[t], exact.grad_entropy.value, exact.grad_entropy.error) << t;
    }
    const double w = p.weight[t];
    add(PolicyLossSum::kLoss, w * exact.value.value, w * exact.value.error);
    add(PolicyLossSum::kPolicyLoss, w * exact.surrogate.value, w * exact.surrogate.error);
    add(PolicyLossSum::kKlLoss, w * exact.penalty.value, w * exact.penalty.error);
    add(PolicyLossSum::kEntropy, p.entropy[t], 0);
    add(PolicyLossSum::kOldMinusNew, exact.old_minus_new, kEpsilon * std::abs(exact.old_minus_new));
    add(PolicyLossSum::kClipped, exact.clipped, 0);
    add(PolicyLossSum::kDualClipped, exact.dual_clipped, 0);
    add_to(kNumPolicyLossSums, (p.logprob[t] - kMeanLogprob) * (p.advantage[t] - kMeanAdvantage),
           0);
  }
  for (size_t sum = 0; sum < sums.size(); ++sum)
    EXPECT_NEAR(seen.sums[sum], sums[sum].value, sums[sum].error) << "sum " << sum;
}

TEST(TokenPolicyLossCuda, MatchesDouble) {
  COVRL_REQUIRE_DEVICE();
  for (const Case& one : cases())
    for (const int64_t count : {1, 2, 3, 257, 2048, 2051}) {
      SCOPED_TRACE(one.name + ", " + std::to_string(count));
      const Problem problem(count, 0.7);
      expect_matches_double(problem, one, run(problem, one));
    }
}

TEST(TokenPolicyLossCuda, MasksMayBeAllOnOrAllOff) {
  COVRL_REQUIRE_DEVICE();
  const Case one = cases().back();
  for (const double share : {0.0, 1.0}) {
    const Problem problem(4999, share);
    expect_matches_double(problem, one, run(problem, one));
  }
}

TEST(TokenPolicyLossCuda, HasTheSameBitsAtAnyAlignmentAndEveryTime) {
  COVRL_REQUIRE_DEVICE();
  const Case one = cases().back();
  const Problem problem(9973, 0.7);
  const Outcome first = run(problem, one);
  for (const int64_t offset : {0, 1}) {
    const Outcome again = run(problem, one, offset);
    EXPECT_EQ(again.sums, first.sums) << offset;
    EXPECT_EQ(again.grad_logprob, first.grad_logprob) << offset;
    EXPECT_EQ(again.grad_entropy, first.grad_entropy) << offset;
  }
}

TEST(TokenPolicyLossCuda, ScaledGradientIsRoundedOnce) {
  COVRL_REQUIRE_DEVICE();
  const double upstream = -0.37;  // rounded to float32 first
  DeviceBuffer<double> scale(std::vector<double>{upstream});
  for (const int64_t count : {1, 255, 256, 257, 4099}) {
    std::vector<float> wanted = random_values<float>(count, 3, 5).values;
    DeviceBuffer<float> gradient(wanted), scaled(count);
    check_cuda(scale_gradient_cuda({gradient.data(), scale.data(), scaled.data(), count}, nullptr));
    for (float& value : wanted) value *= static_cast<float>(upstream);
    EXPECT_EQ(scaled.host(), wanted) << count;
  }
  EXPECT_EQ(scale_gradient_cuda({}, nullptr), cudaSuccess);
  EXPECT_EQ(scale_gradient_cuda({nullptr, nullptr, nullptr, -1}, nullptr), cudaErrorInvalidValue);
}

TEST(TokenPolicyLossCuda, NothingToDoGivesZeroAndBadSizesAreRefused) {
  COVRL_REQUIRE_DEVICE();
  DeviceBuffer<double> sums(std::vector<double>(kNumPolicyLossCudaSums, 1));
  TokenPolicyLossCuda in;
  in.sums = sums.data();
  EXPECT_EQ(token_policy_loss_cuda(in, nullptr), cudaSuccess);
  EXPECT_EQ(sums.host(), std::vector<double>(kNumPolicyLossCudaSums, 0));
  in.num_tokens = -1;
  EXPECT_EQ(token_policy_loss_cuda(in, nullptr), cudaErrorInvalidValue);
}

}  // namespace
}  // namespace covrl::kernels
