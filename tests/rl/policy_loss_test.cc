#include "rl/loss/policy_loss.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>

#include "core/error.h"
#include "rl/loss/reduction.h"

namespace covrl {
namespace {

at::Tensor doubles(std::vector<double> values) { return at::tensor(values, at::kDouble); }

// Tokens without gradient history, all inside the mask.
LossInput make_input(std::vector<double> logprob, std::vector<double> old_logprob,
                     std::vector<double> advantage) {
  const int64_t count = static_cast<int64_t>(logprob.size());
  return {doubles(std::move(logprob)).requires_grad_(),
          doubles(std::move(old_logprob)),
          doubles(std::move(advantage)),
          at::ones({count}, at::kBool),
          {0, count}};
}

TEST(ClipLossTest, RatioIsExactlyOneOnPolicy) {
  const LossInput input =
      make_input({-0.123, -7.5, -1e-9}, {-0.123, -7.5, -1e-9}, {1.5, -2.0, 0.0});
  const LossTerms terms = make_policy_loss({})->terms(input);
  EXPECT_TRUE(terms.loss_T.equal(-input.advantage_T));
  EXPECT_FALSE(terms.clipped_T.any().item<bool>());
  terms.loss_T.sum().backward();
  EXPECT_TRUE(input.logprob_T.grad().equal(-input.advantage_T));
}

TEST(ClipLossTest, ClipsEachSideAtItsOwnBound) {
  // Ratios e^0.5 and e^-0.5 with advantages of both signs; only a move in the direction of the
  // advantage is clipped.
  const LossInput input = make_input({0.5, 0.5, -0.5, -0.5}, {0, 0, 0, 0}, {1, -1, 1, -1});
  PolicyLossConfig config;
  config.clip_ratio_low = 0.1;
  config.clip_ratio_high = 0.3;
  const LossTerms terms = make_policy_loss(config)->terms(input);
  EXPECT_TRUE(at::allclose(terms.loss_T, doubles({-1.3, std::exp(0.5), -std::exp(-0.5), 0.9}),
                           1e-14, 1e-14));
  EXPECT_TRUE(terms.clipped_T.equal(at::tensor({1, 0, 0, 1}, at::kLong).to(at::kBool)));
  terms.loss_T.sum().backward();
  EXPECT_TRUE(at::allclose(input.logprob_T.grad(), doubles({0, std::exp(0.5), -std::exp(-0.5), 0}),
                           1e-14, 1e-14));
}

TEST(ClipLossTest, DualClipBoundsNegativeAdvantages) {
  const LossInput input = make_input({2, 2}, {0, 0}, {-1, 1});
  PolicyLossConfig config;
  config.clip_ratio_c = 3;
  const LossTerms terms = make_policy_loss(config)->terms(input);
  EXPECT_TRUE(terms.loss_T.equal(doubles({3, -1.2})));
  EXPECT_TRUE(terms.dual_clipped_T.equal(at::tensor({1, 0}, at::kLong).to(at::kBool)));
  config.clip_ratio_c = 0;
  EXPECT_DOUBLE_EQ(make_policy_loss(config)->terms(input).loss_T[0].item<double>(), std::exp(2.0));
}

class PolicyLossKindTest : public ::testing::TestWithParam<std::string> {
 protected:
  std::unique_ptr<PolicyLoss> make(double cap = 3) const {
    PolicyLossConfig config{.kind = GetParam()};
    if (config.traits().ratio_cap) config.clip_ratio_c = cap;
    return make_policy_loss(config);
  }
  static at::Tensor mean(const LossTerms& terms, const LossInput& input) {
    const double num_tokens = input.mask_T.sum().item<double>();
    return reduce(terms.loss_T,
                  reduction_weights("token-mean", input.mask_T, input.offsets, {num_tokens, 1, 1}));
  }
};

// Three sequences, the last without tokens; log-ratios within the clip range and outside, none at a
// kink.
LossInput mixed_input() {
  LossInput input = make_input({-0.9, -1.7, -0.4, -2.2, -0.6, -1.1, -3.0, -0.5},
                               {-1.0, -1.2, -0.9, -1.95, -1.4, -1.0, -3.3, -0.5},
                               {1.2, 1.2, 0.3, -0.7, -0.7, -0.7, 0.8, 2.0});
  input.mask_T = at::tensor({1, 1, 1, 1, 1, 0, 1, 0}, at::kLong).to(at::kBool);
  input.offsets = {0, 3, 7, 8};
  return input;
}

// The losses whose gradient is that of their value; DetachedRatiosActAsConstants has the others.
class PolicyLossGradientTest : public PolicyLossKindTest {};

TEST_P(PolicyLossGradientTest, EqualsFiniteDifferences) {
  constexpr double kStep = 1e-5;
  const LossInput input = mixed_input();
  mean(make()->terms(input), input).backward();
  for (int64_t t = 0; t < input.logprob_T.numel(); ++t) {
    const auto at = [&](double step) {
      LossInput moved = input;
      moved.logprob_T = input.logprob_T.detach().clone();
      moved.logprob_T[t] += step;
      return mean(make()->terms(moved), moved).item<double>();
    };
    EXPECT_NEAR(input.logprob_T.grad()[t].item<double>(), (at(kStep) - at(-kStep)) / (2 * kStep),
                2e-9)
        << t;
  }
}

TEST_P(PolicyLossKindTest, StaysFiniteAtAnyRatio) {
  for (const at::ScalarType dtype : {at::kFloat, at::kDouble})
    for (double cap : {0.0, 3.0}) {
      LossInput input = make_input({0, 0, -1e4, -1e4}, {-1e4, -1e4, 0, 0}, {1, -1, 1, -1});
      input.logprob_T = input.logprob_T.detach().to(dtype).requires_grad_();
      input.old_logprob_T = input.old_logprob_T.to(dtype);
      input.advantage_T = input.advantage_T.to(dtype);
      for (const std::vector<int64_t>& offsets :
           {std::vector<int64_t>{0, 4}, std::vector<int64_t>{0, 1, 2, 3, 4}}) {
        input.offsets = offsets;
        const LossTerms terms = make(cap)->terms(input);
        EXPECT_TRUE(at::isfinite(terms.loss_T).all().item<bool>()) << terms.loss_T;
        terms.loss_T.sum().backward();
        EXPECT_TRUE(at::isfinite(input.logprob_T.grad()).all().item<bool>());
      }
    }
}

TEST_P(PolicyLossKindTest, NothingOutsideTheMaskIsRead) {
  const double nan = std::nan("");
  LossInput input = make_input({-1, nan, -1, INFINITY}, {-1.1, -1, nan, -1}, {1, 1, 1, nan});
  input.mask_T = at::tensor({1, 0, 0, 0}, at::kLong).to(at::kBool);
  const at::Tensor loss = mean(make()->terms(input), input);
  loss.backward();
  EXPECT_TRUE(std::isfinite(loss.item<double>()));
  const at::Tensor gradient = input.logprob_T.grad();
  EXPECT_NE(gradient[0].item<double>(), 0);
  EXPECT_TRUE(gradient.slice(0, 1).equal(at::zeros({3}, at::kDouble))) << gradient;
}

TEST_P(PolicyLossKindTest, EmptyMaskAndEmptySequencesGiveZero) {
  LossInput input = mixed_input();
  input.mask_T = at::zeros_like(input.mask_T);
  const LossTerms terms = make()->terms(input);
  const at::Tensor loss = reduce(
      terms.loss_T, reduction_weights("seq-mean-token-mean", input.mask_T, input.offsets, {}));
  EXPECT_EQ(loss.item<double>(), 0);
  loss.backward();
  EXPECT_TRUE(input.logprob_T.grad().equal(at::zeros({8}, at::kDouble)));
}

TEST_P(PolicyLossKindTest, OnPolicyTheGradientIsThatOfThePolicyGradient) {
  LossInput input = make_input({-0.5, -1.5, -2.0, -0.1}, {-0.5, -1.5, -2.0, -0.1}, {1, 1, -2, -2});
  input.offsets = {0, 2, 4};
  make()->terms(input).loss_T.sum().backward();
  EXPECT_TRUE(at::allclose(input.logprob_T.grad(), -input.advantage_T, 1e-14, 1e-14))
      << input.logprob_T.grad();
}

INSTANTIATE_TEST_SUITE_P(Kinds, PolicyLossGradientTest,
                         ::testing::Values("clip", "unclipped", "geo_mean", "sapo", "gpg",
                                           "reinforce"));
INSTANTIATE_TEST_SUITE_P(Kinds, PolicyLossKindTest, ::testing::ValuesIn(policy_loss_names()));

TEST(PolicyLossTest, DetachedRatiosActAsConstants) {
  // Gradients of -A w l with w the constant weight of each kind, by hand.
  LossInput input = mixed_input();
  const at::Tensor ratio = (input.logprob_T - input.old_logprob_T).detach().exp();
  const auto gradient = [&](const PolicyLossConfig& config) {
    input.logprob_T = input.logprob_T.detach().requires_grad_();
    make_policy_loss(config)->terms(input).loss_T.masked_select(input.mask_T).sum().backward();
    return input.logprob_T.grad();
  };
  const auto expected = [&](const at::Tensor& weight) {
    return at::where(input.mask_T, -input.advantage_T * weight, 0.0);
  };
  EXPECT_TRUE(
      at::allclose(gradient({.kind = "cispo"}), expected(at::clamp(ratio, 0.8, 1.2)), 1e-14));
  // p - p0: 0.04 -0.12 0.26 -0.03 0.30 . 0.01; sign of A: + + + - - . +
  const at::Tensor stays = doubles({1, 1, 0, 1, 1, 1, 1, 1});
  EXPECT_TRUE(at::allclose(gradient({.kind = "dppo_tv"}), expected(stays * ratio), 1e-14));
  // Sequence ratios: exp(mean(0.1, -0.5, 0.5)), exp(mean(-0.25, 0.8, 0.3)); the second is clipped
  // for A > 0 only.
  const double first = std::exp(0.1 / 3), second = std::exp(0.85 / 3);
  const at::Tensor sequence = doubles({first, first, first, second, second, second, 0, 1});
  EXPECT_TRUE(at::allclose(gradient({.kind = "gspo"}), expected(sequence), 1e-14));
}

TEST(PolicyLossTest, WeightsOfSequencesAreGeometricMeans) {
  const LossInput input = mixed_input();
  const at::Tensor weights = doubles({2, 0.5, 4, 1, 4, 9, 2, 1});
  const at::Tensor seen = make_policy_loss({.kind = "geo_mean"})->weight(input, weights);
  const double first = std::cbrt(4), second = 2;
  EXPECT_TRUE(
      at::allclose(seen, doubles({first, first, first, second, second, second, second, 1}), 1e-9));
  EXPECT_TRUE(make_policy_loss({})->weight(input, weights).equal(weights));
}

TEST(PolicyLossTableTest, UnknownKindIsRefused) {
  EXPECT_THROW(make_policy_loss({.kind = "klip"}), Error);
}

PolicyLossConfig load(const std::vector<std::string>& overrides) {
  PolicyLossConfig config;
  config::load({{}, overrides}, [&](config::Visitor& v) { config.describe(v); });
  return config;
}

TEST(PolicyLossConfigTest, RefusesADualClipInsideTheClipRange) {
  EXPECT_EQ(load({"clip_ratio_low=0.1", "clip_ratio_c=0"}).clip_ratio_low, 0.1);
  EXPECT_THROW(load({"clip_ratio_c=1.1"}), Error);
  EXPECT_THROW(load({"clip_ratio_low=1.5"}), Error);
  EXPECT_THROW(load({"kind=dppo_tv", "clip_ratio_c=0.9"}), Error);
}

TEST(PolicyLossConfigTest, TheDualClipIsTheKindsOwnUnlessGiven) {
  EXPECT_EQ(load({}).ratio_cap(), 3);
  EXPECT_EQ(load({"clip_ratio_c=10"}).ratio_cap(), 10);
  EXPECT_EQ(load({"kind=unclipped"}).ratio_cap(), 0);
  EXPECT_EQ(load({"kind=dppo_kl"}).ratio_cap(), 20);
}

TEST(PolicyLossConfigTest, RefusesKeysOfOtherKinds) {
  for (const std::vector<std::string>& overrides :
       std::vector<std::vector<std::string>>{{"sapo_tau_pos=2"},
                                             {"kind=unclipped", "clip_ratio_high=0.3"},
                                             {"kind=gspo", "clip_ratio_c=3"},
                                             {"kind=sapo", "clip_ratio_low=0.1"},
                                             {"kind=gpg", "clip_ratio_low=0.1"},
                                             {"kind=clip", "sapo_tau_neg=1"}})
    EXPECT_THROW(load(overrides), Error) << overrides.back();
  // Defaults may be spelled out, so that a resolved copy reads back.
  EXPECT_EQ(load({"kind=gspo", "clip_ratio_c=null", "sapo_tau_pos=1"}).kind, "gspo");
}

}  // namespace
}  // namespace covrl
