#include "kernels/token_policy_loss.h"

#include <cmath>
#include <limits>

#include "core/error.h"
#include "kernels/reference_policy_loss.h"
#include "tests/kernels/op_check.h"

namespace covrl::kernels {
namespace {

using Op = TokenPolicyLoss (*)(const TokenPolicyLossInput&, const PolicyLossTerms&);

// What a case is made of beside the policy's term.
struct Case {
  std::string name;
  PolicyLossTerms terms;
  bool rollout_weight = false, dropped = false, pulled = false;
};
void PrintTo(const Case& one, std::ostream* out) { *out << one.name; }

PolicyLossTerms clipped(double cap = 3) {
  PolicyLossTerms terms;
  terms.ratio_min = 0.8;
  terms.ratio_max = 1.28;
  terms.ratio_cap = cap;
  return terms;
}
PolicyLossTerms with_pull(LogprobPenalty penalty) {
  PolicyLossTerms terms;
  terms.pull = 0.7;
  terms.pull_penalty = penalty;
  return terms;
}
PolicyLossTerms with_kl(LogprobPenalty penalty, bool straight_through) {
  PolicyLossTerms terms = clipped();
  terms.kl = 0.05;
  terms.kl_penalty = penalty;
  terms.kl_straight_through = straight_through;
  return terms;
}
PolicyLossTerms with_all(double policy) {
  PolicyLossTerms terms = with_kl(LogprobPenalty::kK3, false);
  terms.policy = policy;
  terms.pull = 1.3;
  terms.pull_penalty = LogprobPenalty::kK3;
  terms.entropy = 0.01;
  return terms;
}

const LogprobPenalty kPenalties[] = {LogprobPenalty::kAbs, LogprobPenalty::kK1, LogprobPenalty::kK2,
                                     LogprobPenalty::kK3};

std::vector<Case> cases() {
  std::vector<Case> all = {{"clip", clipped(0)},
                           {"dual_clip", clipped(3)},
                           {"unclipped", {}},
                           {"rollout_weight", clipped(), true},
                           {"dropped", clipped(), false, true},
                           {"everything", with_all(0.7), true, true, true},
                           {"all_but_policy", with_all(0), true, true, true}};
  for (const LogprobPenalty penalty : kPenalties) {
    const std::string name = std::to_string(static_cast<int>(penalty));
    all.push_back({"pull" + name, with_pull(penalty), false, false, true});
    all.push_back({"kl" + name, with_kl(penalty, false)});
    all.push_back({"kl_straight_through" + name, with_kl(penalty, true)});
  }
  return all;
}

enum class Mask { kAllOn, kAllOff, kRagged };

// Log-ratios and distances to the reference of both signs, some exactly 0; every value is a
// float's. Outside the mask nothing is a number.
TokenPolicyLossInput make_input(int64_t count, Mask kind, at::ScalarType type, const Case& one) {
  at::manual_seed(count * 31 + static_cast<int64_t>(kind));
  const at::Tensor mask = kind == Mask::kAllOn    ? at::ones({count}, at::kBool)
                          : kind == Mask::kAllOff ? at::zeros({count}, at::kBool)
                                                  : at::rand({count}) < 0.7;
  const at::Tensor outside = at::where(at::rand({count}) < 0.5, std::nan(""), -INFINITY);
  const auto column = [&](const at::Tensor& values) {
    return at::where(mask, values.to(at::kFloat), outside.to(at::kFloat)).to(type);
  };
  const auto some = [&](double share) { return at::rand({count}) < share; };
  const at::Tensor logprob = -at::rand({count}) * 3, moved = at::randn({count}) * 0.5,
                   away = at::randn({count}) * 2, none = at::zeros({count});
  TokenPolicyLossInput input;
  input.logprob_T = column(logprob).requires_grad_();
  input.entropy_T = column(at::rand({count})).requires_grad_();
  input.old_logprob_T = column(logprob + at::where(some(0.2), none, moved));
  input.advantage_T = column(at::where(some(0.1), none, at::randn({count})));
  input.mask_T = mask;
  input.weight_T = at::where(mask, at::rand({count}, at::kDouble) / static_cast<double>(count), 0);
  if (one.terms.kl != 0) input.ref_logprob_T = column(logprob + at::where(some(0.1), none, away));
  if (one.rollout_weight) input.rollout_weight_T = column(at::rand({count}) * 2);
  if (one.dropped) input.dropped_T = some(0.1) & mask;
  if (one.pulled) input.pulled_T = some(0.3) & mask;
  return input;
}

struct Outcome {
  at::Tensor sums, grad_logprob, grad_entropy;
};

Outcome evaluate(Op op, const TokenPolicyLossInput& input, const PolicyLossTerms& terms) {
  TokenPolicyLossInput own = input;
  own.logprob_T = input.logprob_T.detach().clone().requires_grad_();
  own.entropy_T = input.entropy_T.detach().clone().requires_grad_();
  const TokenPolicyLoss value = op(own, terms);
  EXPECT_EQ(value.loss.item<double>(), value.sums[0].item<double>());
  value.loss.backward();
  return {value.sums, own.logprob_T.grad(), own.entropy_T.grad()};
}

// Equal, and undefined together; zeros of either sign are equal.
void expect_equal(const at::Tensor& seen, const at::Tensor& wanted, const std::string& what) {
  ASSERT_EQ(seen.defined(), wanted.defined()) << what;
  if (!seen.defined()) return;
  EXPECT_TRUE(seen.equal(wanted)) << what << " differs by up to "
                                  << (seen - wanted).abs().max().item<double>();
}

// Sums of the same terms in another order. No term is above 40 (checked by the caller's inputs).
void expect_same_sums(const at::Tensor& seen, const at::Tensor& wanted, int64_t count) {
  constexpr double kLargestTerm = 40, kRounding = 0x1p-53;
  for (int64_t sum = 0; sum < seen.numel(); ++sum) {
    const bool weighted = sum <= static_cast<int64_t>(PolicyLossSum::kKlLoss);
    const double size = kLargestTerm * static_cast<double>(weighted ? 1 : count);
    EXPECT_NEAR(seen[sum].item<double>(), wanted[sum].item<double>(),
                static_cast<double>(count) * kRounding * size)
        << "sum " << sum;
  }
}

class TokenPolicyLossTest : public ::testing::TestWithParam<Case> {
 protected:
  static void SetUpTestSuite() { set_num_threads(1); }
};

TEST_P(TokenPolicyLossTest, GradientHasTheBitsOfTheOracles) {
  const PolicyLossTerms& terms = GetParam().terms;
  for (const int64_t count : {1, 2, 15, 16, 17, 255, 257, 1021, 4096, 4099})
    for (const Mask mask : {Mask::kAllOn, Mask::kAllOff, Mask::kRagged})
      for (const at::ScalarType type : {at::kFloat, at::kDouble}) {
        SCOPED_TRACE(concat(count, " tokens, mask ", static_cast<int>(mask), ", ", type));
        const TokenPolicyLossInput input = make_input(count, mask, type, GetParam());
        const Outcome fast = evaluate(token_policy_loss, input, terms),
                      oracle = evaluate(reference::token_policy_loss, input, terms);
        expect_equal(fast.grad_logprob, oracle.grad_logprob, "log-prob");
        expect_equal(fast.grad_entropy, oracle.grad_entropy, "entropy");
        expect_same_sums(fast.sums, oracle.sums, count);
      }
}

TEST_P(TokenPolicyLossTest, IsAsCloseToFloat64AsPlainTorch) {
  const TokenPolicyLossInput input = make_input(1021, Mask::kRagged, at::kFloat, GetParam());
  TokenPolicyLossInput wide = input;
  for (at::Tensor TokenPolicyLossInput::*member :
       {&TokenPolicyLossInput::logprob_T, &TokenPolicyLossInput::entropy_T,
        &TokenPolicyLossInput::old_logprob_T, &TokenPolicyLossInput::advantage_T,
        &TokenPolicyLossInput::ref_logprob_T, &TokenPolicyLossInput::rollout_weight_T})
    if ((wide.*member).defined()) wide.*member = (wide.*member).to(at::kDouble);
  const PolicyLossTerms& terms = GetParam().terms;
  const Outcome fast = evaluate(token_policy_loss, input, terms),
                naive = evaluate(reference::token_policy_loss, input, terms),
                exact = evaluate(reference::token_policy_loss, wide, terms);
  testing::expect_within_twice(fast.grad_logprob, naive.grad_logprob, exact.grad_logprob,
                               "gradient");
  testing::expect_within_twice(fast.sums, naive.sums, exact.sums, "sums");
}

TEST_P(TokenPolicyLossTest, GradientEqualsFiniteDifferences) {
  if (GetParam().terms.kl_straight_through) return;  // not that of the value, by definition
  constexpr double kStep = 1e-6;
  const PolicyLossTerms& terms = GetParam().terms;
  TokenPolicyLossInput input = make_input(61, Mask::kRagged, at::kDouble, GetParam());
  // No kink, which a difference would cross: |x| at 0.
  input.old_logprob_T = at::where(input.old_logprob_T == input.logprob_T, input.old_logprob_T + 0.1,
                                  input.old_logprob_T)
                            .detach();
  if (input.ref_logprob_T.defined())
    input.ref_logprob_T = at::where(input.ref_logprob_T == input.logprob_T,
                                    input.ref_logprob_T + 0.1, input.ref_logprob_T)
                              .detach();
  const Outcome analytic = evaluate(token_policy_loss, input, terms);
  for (at::Tensor TokenPolicyLossInput::*member :
       {&TokenPolicyLossInput::logprob_T, &TokenPolicyLossInput::entropy_T}) {
    const bool of_logprob = member == &TokenPolicyLossInput::logprob_T;
    const at::Tensor gradient = of_logprob ? analytic.grad_logprob : analytic.grad_entropy;
    if (!gradient.defined()) continue;
    for (int64_t t = 0; t < gradient.numel(); ++t) {
      const auto at = [&](double step) {
        TokenPolicyLossInput moved = input;
        moved.*member = (input.*member).detach().clone();
        (moved.*member)[t] += step;
        return token_policy_loss(moved, terms).loss.item<double>();
      };
      // Rounding over the step, and the step's square: both below 1e-9 for terms of this size.
      EXPECT_NEAR(gradient[t].item<double>(), (at(kStep) - at(-kStep)) / (2 * kStep), 1e-9) << t;
    }
  }
}

TEST_P(TokenPolicyLossTest, HasTheSameBitsOnAnyThreadsAndInstructionSet) {
  const TokenPolicyLossInput input = make_input(40009, Mask::kRagged, at::kFloat, GetParam());
  const Outcome expected = evaluate(token_policy_loss, input, GetParam().terms);
  const auto check = [&](const std::string& what) {
    const Outcome seen = evaluate(token_policy_loss, input, GetParam().terms);
    expect_equal(seen.sums, expected.sums, what);
    expect_equal(seen.grad_logprob, expected.grad_logprob, what);
    expect_equal(seen.grad_entropy, expected.grad_entropy, what);
  };
  for (const int count : {2, 3}) {
    set_num_threads(count);
    check(std::to_string(count) + " threads");
  }
  set_num_threads(1);
  for (int isa = 0; isa <= static_cast<int>(best_isa()); ++isa) {
    set_isa(static_cast<Isa>(isa));
    check("instruction set " + std::to_string(isa));
  }
}

TEST_P(TokenPolicyLossTest, NothingOutsideTheMaskIsRead) {
  const TokenPolicyLossInput poisoned = make_input(257, Mask::kRagged, at::kFloat, GetParam());
  TokenPolicyLossInput clean = poisoned;
  for (at::Tensor TokenPolicyLossInput::*member :
       {&TokenPolicyLossInput::logprob_T, &TokenPolicyLossInput::entropy_T,
        &TokenPolicyLossInput::old_logprob_T, &TokenPolicyLossInput::advantage_T,
        &TokenPolicyLossInput::ref_logprob_T, &TokenPolicyLossInput::rollout_weight_T})
    if ((clean.*member).defined())
      clean.*member = at::where(clean.mask_T, (clean.*member).detach(), -0.5);
  const Outcome seen = evaluate(token_policy_loss, poisoned, GetParam().terms),
                wanted = evaluate(token_policy_loss, clean, GetParam().terms);
  expect_equal(seen.sums, wanted.sums, "sums");
  expect_equal(seen.grad_logprob, wanted.grad_logprob, "log-prob");
  expect_equal(seen.grad_entropy, wanted.grad_entropy, "entropy");
  EXPECT_FALSE(seen.grad_logprob.masked_select(poisoned.mask_T.logical_not()).any().item<bool>());
}

INSTANTIATE_TEST_SUITE_P(Terms, TokenPolicyLossTest, ::testing::ValuesIn(cases()),
                         [](const auto& info) { return info.param.name; });

// Tokens by hand, all inside the mask, each of weight 1.
TokenPolicyLossInput tokens(std::vector<double> log_ratio, std::vector<double> advantage,
                            at::ScalarType type) {
  const int64_t count = static_cast<int64_t>(log_ratio.size());
  TokenPolicyLossInput input;
  input.logprob_T = at::tensor(log_ratio, at::kDouble).to(type).requires_grad_();
  input.old_logprob_T = at::zeros({count}, type);
  input.entropy_T = at::zeros({count}, type);
  input.advantage_T = at::tensor(advantage, at::kDouble).to(type);
  input.mask_T = at::ones({count}, at::kBool);
  input.weight_T = at::ones({count}, at::kDouble);
  return input;
}

TEST(TokenPolicyLoss, TiesAtTheClipBoundariesShareTheGradientAsTheOracleDoes) {
  for (const at::ScalarType type : {at::kFloat, at::kDouble}) {
    const TokenPolicyLossInput input =
        tokens({0.25, 0.25, -0.25, -0.25, 0.25, 0.5, 0, 0}, {1, -1, 1, -1, 0, 0, 2, 0}, type);
    const at::Tensor ratio = input.logprob_T.detach().exp();
    PolicyLossTerms terms;  // the ratios are the very bounds
    terms.ratio_max = ratio[0].item<double>();
    terms.ratio_min = ratio[2].item<double>();
    const Outcome fast = evaluate(token_policy_loss, input, terms),
                  oracle = evaluate(reference::token_policy_loss, input, terms);
    expect_equal(fast.grad_logprob, oracle.grad_logprob, "gradient");
    const at::Tensor share = at::tensor({0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 1.0, 1.0}).to(type);
    EXPECT_TRUE(fast.grad_logprob.equal(-input.advantage_T * ratio * share));
    EXPECT_EQ(fast.sums[static_cast<int64_t>(PolicyLossSum::kClipped)].item<double>(), 0);
  }
}

TEST(TokenPolicyLoss, LogRatiosAreBoundedWithoutGradientBeyond) {
  for (const at::ScalarType type : {at::kFloat, at::kDouble}) {
    const TokenPolicyLossInput input =
        tokens({19.9, 20, 20.5, -19.9, -20, -20.5, 1e4, -1e4}, {1, 1, 1, 1, 1, 1, -1, -1}, type);
    const Outcome fast = evaluate(token_policy_loss, input, {}),
                  oracle = evaluate(reference::token_policy_loss, input, {});
    expect_equal(fast.grad_logprob, oracle.grad_logprob, "gradient");
    EXPECT_TRUE(at::isfinite(fast.sums).all().item<bool>());
    const at::Tensor acts = fast.grad_logprob != 0;
    EXPECT_TRUE(acts.equal(at::tensor({1, 0, 0, 1, 0, 0, 0, 0}, at::kLong).to(at::kBool))) << acts;
  }
}

TEST(TokenPolicyLoss, PenaltiesAreBoundedAtAnyDistance) {
  for (const LogprobPenalty penalty : kPenalties) {
    PolicyLossTerms terms = with_kl(penalty, false);
    terms.pull = 1;
    terms.pull_penalty = penalty;
    TokenPolicyLossInput input = tokens({-30, -19, -2.3, -2.5, 0, 10.5, 11.5, 19, 30},
                                        std::vector<double>(9, 1), at::kFloat);
    input.ref_logprob_T = at::zeros_like(input.old_logprob_T);
    input.pulled_T = input.mask_T;
    const Outcome fast = evaluate(token_policy_loss, input, terms),
                  oracle = evaluate(reference::token_policy_loss, input, terms);
    expect_equal(fast.grad_logprob, oracle.grad_logprob, "gradient");
    EXPECT_NEAR(fast.sums[0].item<double>(), oracle.sums[0].item<double>(),
                1e-14 * std::abs(oracle.sums[0].item<double>()));
  }
}

TEST(TokenPolicyLoss, WhatNoTermReadsHasNoGradient) {
  const Case clip{"clip", clipped()};
  TokenPolicyLossInput input = make_input(17, Mask::kRagged, at::kFloat, clip);
  token_policy_loss(input, clip.terms).loss.backward();
  EXPECT_TRUE(input.logprob_T.grad().defined());
  EXPECT_FALSE(input.entropy_T.grad().defined());
  PolicyLossTerms nothing;
  nothing.policy = 0;
  const TokenPolicyLoss value = token_policy_loss(input, nothing);
  EXPECT_FALSE(value.loss.requires_grad());
  EXPECT_EQ(value.loss.item<double>(), 0);
  EXPECT_NE(value.sums[static_cast<int64_t>(PolicyLossSum::kPolicyLoss)].item<double>(), 0);
}

TEST(TokenPolicyLoss, GradientOfAMultipleIsTheMultiple) {
  const Case all{"all", with_all(1), true, true, true};
  TokenPolicyLossInput input = make_input(257, Mask::kRagged, at::kFloat, all);
  const Outcome once = evaluate(token_policy_loss, input, all.terms);
  (4 * token_policy_loss(input, all.terms).loss).backward();
  expect_equal(input.logprob_T.grad(), 4 * once.grad_logprob, "log-prob");
  expect_equal(input.entropy_T.grad(), 4 * once.grad_entropy, "entropy");
}

TEST(TokenPolicyLoss, NoTokensGiveZero) {
  const Case clip{"clip", clipped()};
  const Outcome none =
      evaluate(token_policy_loss, make_input(0, Mask::kAllOn, at::kFloat, clip), clip.terms);
  EXPECT_FALSE(none.sums.any().item<bool>());
}

TEST(TokenPolicyLoss, OtherTypesTakeTheOracle) {
  const Case clip{"clip", clipped()};
  const TokenPolicyLossInput input = make_input(33, Mask::kRagged, at::kBFloat16, clip);
  expect_equal(evaluate(token_policy_loss, input, clip.terms).grad_logprob,
               evaluate(reference::token_policy_loss, input, clip.terms).grad_logprob, "bfloat16");
}

TEST(TokenPolicyLoss, RefusesColumnsThatDoNotFit) {
  const Case kl{"kl", with_kl(LogprobPenalty::kK3, false), true};
  const TokenPolicyLossInput good = make_input(5, Mask::kAllOn, at::kFloat, kl);
  const auto expect_refused = [&](at::Tensor TokenPolicyLossInput::*member, const at::Tensor& value,
                                  const char* word) {
    TokenPolicyLossInput bad = good;
    bad.*member = value;
    try {
      token_policy_loss(bad, kl.terms);
      ADD_FAILURE() << word << " accepted";
    } catch (const Error& error) {
      EXPECT_NE(std::string(error.what()).find(word), std::string::npos) << error.what();
    }
  };
  expect_refused(&TokenPolicyLossInput::ref_logprob_T, at::Tensor(), "ref_logprob");
  expect_refused(&TokenPolicyLossInput::advantage_T, at::zeros({4}), "advantage");
  expect_refused(&TokenPolicyLossInput::old_logprob_T, at::zeros({5}, at::kDouble), "old_logprob");
  expect_refused(&TokenPolicyLossInput::mask_T, at::ones({5}), "mask");
  expect_refused(&TokenPolicyLossInput::pulled_T, at::ones({6}, at::kBool), "pulled");
  expect_refused(&TokenPolicyLossInput::weight_T, at::ones({5}), "weight");
}

}  // namespace
}  // namespace covrl::kernels
