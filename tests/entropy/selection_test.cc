// What the selecting controls have in common: their choice depends on the tokens alone.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <set>

#include "core/rng.h"
#include "entropy/control_stack.h"
#include "entropy/covariance.h"
#include "entropy/selected_tokens.h"

namespace covrl {
namespace {

using Ids = std::set<int64_t>;

at::Tensor doubles(const std::vector<double>& values) { return at::tensor(values, at::kDouble); }
at::Tensor bools(const std::vector<int64_t>& values) {
  return at::tensor(values, at::kLong).to(at::kBool);
}

// Tokens with all kinds of log-probs, advantages and entropies, some masked, some clipped.
ControlView random_view(int64_t num_tokens, uint64_t salt = 0) {
  Sequence draws(7, Stream::kTest, salt);
  std::vector<double> logprob, old_logprob, advantage, entropy;
  std::vector<int64_t> clipped, mask;
  for (int64_t i = 0; i < num_tokens; ++i) {
    logprob.push_back(-std::abs(draws.normal()) * 2);
    old_logprob.push_back(logprob.back() + 0.1 * draws.normal());
    advantage.push_back(draws.normal());
    entropy.push_back(std::abs(draws.normal()));
    clipped.push_back(draws.below(8) == 0);
    mask.push_back(draws.below(5) != 0);
  }
  ControlView view;
  view.logprob_T = doubles(logprob);
  view.old_logprob_T = doubles(old_logprob);
  view.advantage_T = doubles(advantage);
  view.entropy_T = doubles(entropy);
  view.mask_T = bools(mask);
  view.clipped_T = bools(clipped) & view.mask_T;
  for (int64_t i = 0; i < num_tokens; ++i) view.token_ids.append(1000 + 3 * i, 1);
  view.micro_batch_T = at::zeros({num_tokens}, at::kLong);
  view.seed = 1;
  view.step = 17;
  return view;
}

constexpr at::Tensor ControlView::*kMembers[] = {
    &ControlView::logprob_T,    &ControlView::old_logprob_T, &ControlView::advantage_T,
    &ControlView::entropy_T,    &ControlView::clipped_T,     &ControlView::mask_T,
    &ControlView::micro_batch_T};

kernels::TokenIds ids_at(const ControlView& view, const at::Tensor& places) {
  return view.token_ids.at({places.const_data_ptr<int64_t>(), static_cast<size_t>(places.numel())});
}

ControlView reordered(const ControlView& view, const at::Tensor& order) {
  ControlView result = view;
  for (const auto member : kMembers) result.*member = (view.*member).index_select(0, order);
  result.token_ids = ids_at(view, order);
  return result;
}

EntropyControlConfig config_of(const std::string& kind) {
  EntropyControlConfig config;
  config.kind = {kind};
  config.clip_cov_lb = 0.1;
  config.clip_cov_ratio = config.kl_cov_ratio = 0.05;
  return config;
}

Ids select(const EntropyControlConfig& config, const ControlView& view) {
  const at::Tensor selected = ControlStack(config).select(view)[0];
  Ids ids;
  for (int64_t i = 0; i < selected.numel(); ++i)
    if (selected[i].item<bool>()) {
      EXPECT_TRUE(view.mask_T[i].item<bool>());
      ids.insert(view.token_ids[i]);
    }
  return ids;
}

class SelectionTest : public ::testing::TestWithParam<std::string> {};

TEST_P(SelectionTest, OrderDoesNotMatter) {
  const ControlView view = random_view(211);
  const Ids wanted = select(config_of(GetParam()), view);
  EXPECT_FALSE(wanted.empty());
  for (uint64_t salt = 0; salt < 5; ++salt) {
    Sequence draws(2, Stream::kTest, salt);
    const at::Tensor order = at::tensor(permutation(211, draws), at::kLong);
    EXPECT_EQ(select(config_of(GetParam()), reordered(view, order)), wanted);
  }
}

TEST_P(SelectionTest, PaddingAndNanOutsideTheMaskDoNotMatter) {
  const ControlView view = random_view(97);
  const Ids wanted = select(config_of(GetParam()), view);
  ControlView padded = view;
  for (const auto member : kMembers) {
    const at::Tensor& values = view.*member;
    at::Tensor poisoned = values;
    if (values.is_floating_point()) poisoned = at::where(view.mask_T, values, std::nan(""));
    padded.*member = at::cat({poisoned, poisoned.slice(0, 0, 31)});
  }
  padded.mask_T.slice(0, 97).fill_(false);
  padded.token_ids = ids_at(view, at::cat({at::arange(97), at::arange(31)}));
  EXPECT_EQ(select(config_of(GetParam()), padded), wanted);
  const at::Tensor kept = at::nonzero(view.mask_T).flatten();
  EXPECT_EQ(select(config_of(GetParam()), reordered(view, kept)), wanted);
}

TEST_P(SelectionTest, EmptyMaskSelectsNothing) {
  ControlView view = random_view(9);
  view.mask_T.fill_(false);
  EXPECT_TRUE(select(config_of(GetParam()), view).empty());
  EXPECT_TRUE(select(config_of(GetParam()), random_view(0)).empty());
}

TEST_P(SelectionTest, NothingSelectedLeavesTheLossAsItWas) {
  const auto control = make_entropy_control(GetParam(), config_of(GetParam()));
  ControlTerms terms;
  terms.loss_T = doubles({1, 2});
  EXPECT_TRUE(control->apply(terms).equal(terms.loss_T));
}

INSTANTIATE_TEST_SUITE_P(Controls, SelectionTest,
                         ::testing::Values("clip_cov", "kl_cov", "top_entropy"));

TEST(ClipCovControlTest, ChoosesUniformlyAmongTheCandidatesAnewInEachUpdate) {
  ControlView view = random_view(300);
  EntropyControlConfig config = config_of("clip_cov");
  config.clip_cov_ratio = 1;
  const Ids candidates = select(config, view);
  config.clip_cov_ratio = 0.05;
  const double quota = std::floor(0.05 * view.mask_T.sum().item<double>());
  ASSERT_GT(static_cast<double>(candidates.size()), 2 * quota);
  std::map<int64_t, double> times;
  constexpr int kUpdates = 2000;
  for (int step = 0; step < kUpdates; ++step) {
    view.step = static_cast<uint64_t>(step);
    const Ids chosen = select(config, view);
    EXPECT_EQ(static_cast<double>(chosen.size()), quota);
    for (const int64_t id : chosen) times[id] += 1;
  }
  const double p = quota / static_cast<double>(candidates.size());
  for (const int64_t id : candidates)  // five standard deviations
    EXPECT_NEAR(times[id], kUpdates * p, 5 * std::sqrt(kUpdates * p * (1 - p)));
  view.step = 17;
  view.seed = 2;
  EXPECT_NE(select(config, view), select(config, random_view(300)));
}

TEST(ClipCovControlTest, DropsValueAndGradient) {
  const auto control = make_entropy_control("clip_cov", config_of("clip_cov"));
  ControlTerms terms;
  terms.loss_T = doubles({1, INFINITY, 3}).requires_grad_();
  terms.selected_T = bools({0, 1, 0});
  const at::Tensor shaped = control->apply(terms);
  EXPECT_TRUE(shaped.equal(doubles({1, 0, 3})));
  shaped.sum().backward();
  EXPECT_TRUE(terms.loss_T.grad().equal(doubles({1, 0, 1})));
}

TEST(ClipCovControlTest, BoundsAreStrictAndClippedTokensAreNoCandidates) {
  ControlView view = random_view(6);
  // Covariances 1, 1, 0.25, 0.25, 2.25, 2.25.
  view.logprob_T = doubles({-1, -3, -1.5, -2.5, -0.5, -3.5});
  view.advantage_T = doubles({1, -1, 0.5, -0.5, 1.5, -1.5});
  view.mask_T = bools({1, 1, 1, 1, 1, 1});
  view.clipped_T = bools({0, 1, 0, 0, 0, 0});
  EntropyControlConfig config = config_of("clip_cov");
  config.clip_cov_ratio = 1;
  config.clip_cov_lb = 0.25;
  config.clip_cov_ub = 2.25;
  EXPECT_EQ(select(config, view), (Ids{1000}));
}

TEST(KlCovControlTest, TakesTheLargestWithTiesToTheSmallerId) {
  ControlView view = random_view(6);
  view.logprob_T = doubles({-1, -3, -1.5, -2.5, -0.5, -3.5});
  view.advantage_T = doubles({1, -1, 0.5, -0.5, 1.5, -1.5});
  view.mask_T = bools({1, 1, 1, 1, 1, 1});
  EntropyControlConfig config = config_of("kl_cov");
  config.kl_cov_ratio = 0.5;
  EXPECT_EQ(select(config, view), (Ids{1000, 1012, 1015}));
  config.kl_cov_ratio = 0.0001;
  EXPECT_EQ(select(config, view), (Ids{1012}));
  view.advantage_T = -view.advantage_T;  // all covariances negative
  EXPECT_EQ(select(config, view), (Ids{1006}));
  view.advantage_T = at::full({6}, 0.1, at::kDouble);
  EXPECT_TRUE(select(config, view).empty());
}

TEST(KlCovControlTest, AddsThePenaltyToTheSelected) {
  const std::vector<double> d = {0.5, -0.5, 0, 2};
  const std::map<std::string, std::vector<double>> values = {
      {"abs", {0.5, 0.5, 0, 0}},
      {"k1", {0.5, -0.5, 0, 0}},
      {"k2", {0.125, 0.125, 0, 0}},
      {"k3", {std::exp(-0.5) - 0.5, std::exp(0.5) - 1.5, 0, 0}}};
  const std::map<std::string, std::vector<double>> slopes = {
      {"abs", {1, -1, 0, 0}},
      {"k1", {1, 1, 1, 0}},
      {"k2", {0.5, -0.5, 0, 0}},
      {"k3", {1 - std::exp(-0.5), 1 - std::exp(0.5), 0, 0}}};
  for (const auto& [kind, wanted] : values) {
    EntropyControlConfig config = config_of("kl_cov");
    config.kl_cov_penalty = kind;
    config.ppo_kl_coef = 0.3;
    ControlTerms terms;
    terms.loss_T = doubles({1, 2, 3, 4});
    terms.old_logprob_T = doubles({-1, -1, -1, -3});
    terms.logprob_T = (terms.old_logprob_T + doubles(d)).requires_grad_();
    terms.selected_T = bools({1, 1, 1, 0});
    const at::Tensor shaped = make_entropy_control("kl_cov", config)->apply(terms);
    EXPECT_TRUE(at::allclose(shaped, terms.loss_T + 0.3 * doubles(wanted), 1e-14, 1e-14)) << kind;
    shaped.sum().backward();
    EXPECT_TRUE(at::allclose(terms.logprob_T.grad(), 0.3 * doubles(slopes.at(kind)), 1e-14, 1e-14))
        << kind;
  }
}

TEST(KlCovControlTest, PenaltyStaysFinite) {
  for (const char* kind : {"abs", "k1", "k2", "k3"}) {
    EntropyControlConfig config = config_of("kl_cov");
    config.kl_cov_penalty = kind;
    ControlTerms terms;
    terms.loss_T = doubles({0, 0, 0});
    terms.old_logprob_T = doubles({0, -1e4, std::nan("")});
    terms.logprob_T = doubles({-1e4, 0, std::nan("")}).requires_grad_();
    terms.selected_T = bools({1, 1, 0});
    const at::Tensor shaped = make_entropy_control("kl_cov", config)->apply(terms);
    EXPECT_TRUE(at::isfinite(shaped).all().item<bool>()) << kind;
    shaped.sum().backward();
    EXPECT_TRUE(at::isfinite(terms.logprob_T.grad()).all().item<bool>()) << kind;
  }
}

TEST(TopEntropyControlTest, KeepsTheTokensOfLargestEntropy) {
  ControlView view = random_view(6);
  view.entropy_T = doubles({0.1, 0.9, 0.5, 0.9, 2, 0.9});
  view.mask_T = bools({1, 1, 1, 1, 0, 1});
  EntropyControlConfig config = config_of("top_entropy");
  config.top_entropy_ratio = 0.4;
  EXPECT_EQ(select(config, view), (Ids{1003, 1009}));
  const auto control = make_entropy_control("top_entropy", config);
  ControlTerms terms;
  terms.loss_T = doubles({1, 2, 3, 4, 5, 6}).requires_grad_();
  terms.selected_T = control->select(view);
  const at::Tensor shaped = control->apply(terms);
  EXPECT_TRUE(shaped.equal(doubles({0, 2, 0, 4, 0, 0})));
  shaped.sum().backward();
  EXPECT_TRUE(terms.loss_T.grad().equal(doubles({0, 1, 0, 1, 0, 0})));
  Metrics metrics;
  control->report(metrics);
  EXPECT_EQ(metrics.at("entropy_ctrl/top_entropy_kept_frac"), 0.4);
  EXPECT_EQ(metrics.at("entropy_ctrl/top_entropy_threshold"), 0.9);
}

TEST(AdaptiveBonusControlTest, CoefficientMovesTowardsTheTarget) {
  EntropyControlConfig config;
  config.target_entropy = 0.5;
  config.entropy_coeff = 0.002;
  config.adaptive_coeff_step = 0.001;
  config.adaptive_coeff_max = 0.004;
  const auto control = make_entropy_control("adaptive_bonus", config);
  const auto acting = [&control] {
    Metrics metrics;
    control->report(metrics);
    return metrics.at("entropy_ctrl/bonus_coeff");
  };
  for (int i = 0; i < 5; ++i) control->observe(0.1);
  EXPECT_DOUBLE_EQ(acting(), 0.004);
  ControlTerms terms;
  terms.loss_T = doubles({1});
  terms.entropy_T = doubles({2});
  EXPECT_TRUE(at::allclose(control->apply(terms), doubles({1 - 0.008})));
  control->observe(0.9);  // rests above the target, and comes back lower
  EXPECT_EQ(acting(), 0);
  EXPECT_TRUE(control->apply(terms).equal(terms.loss_T));
  const auto again = make_entropy_control("adaptive_bonus", config);
  again->load_state(control->state());
  for (const auto& one : {control.get(), again.get()}) one->observe(0.5);
  EXPECT_DOUBLE_EQ(acting(), 0.003);
  EXPECT_EQ(again->state(), control->state());
}

TEST(SelectionMetricsTest, AverageOverUpdatesAndSelectedTokens) {
  ControlView view = random_view(6);
  view.logprob_T = doubles({-1, -3, -1.5, -2.5, -0.5, -3.5});
  view.old_logprob_T = view.logprob_T + doubles({0, 0, 0, 0, 0.5, 0});
  view.advantage_T = doubles({1, -1, 0.5, -0.5, 1.5, -1.5});
  view.mask_T = bools({1, 1, 1, 1, 1, 1});
  EntropyControlConfig config = config_of("kl_cov");
  config.kl_cov_ratio = 0.34;  // two of six
  ControlStack controls(config);
  controls.select(view);
  view.step = 18;
  view.mask_T = bools({1, 1, 0, 0, 0, 0});  // one of two
  controls.select(view);
  Metrics metrics;
  controls.report(metrics);
  EXPECT_DOUBLE_EQ(metrics.at("entropy_ctrl/selected_tokens"), 1.5);
  EXPECT_DOUBLE_EQ(metrics.at("entropy_ctrl/candidates"), 4);
  EXPECT_DOUBLE_EQ(metrics.at("entropy_ctrl/selected_frac"), 3.0 / 8);
  EXPECT_DOUBLE_EQ(metrics.at("entropy_ctrl/selected_adv_neg_frac"), 1.0 / 3);
  EXPECT_DOUBLE_EQ(metrics.at("entropy_ctrl/selected_logp_mean"), (-0.5 - 3.5 - 1) / 3);
  EXPECT_DOUBLE_EQ(metrics.at("entropy_ctrl/selected_abs_log_ratio"), 0.5 / 3);
  EXPECT_DOUBLE_EQ(metrics.at("entropy_ctrl/inert"), 2.0 / 3);
  Metrics none;
  controls.report(none);
  EXPECT_TRUE(none.empty());
}

TEST(SelectedTokensTest, ShowsTheMostCovariant) {
  const ControlView view = random_view(60);
  const at::Tensor selected = view.mask_T & bools(std::vector<int64_t>(60, 1));
  const std::vector<SelectedToken> shown = most_covariant(view, selected, 5);
  ASSERT_EQ(shown.size(), 5);
  for (size_t i = 1; i < shown.size(); ++i) EXPECT_GE(shown[i - 1].covariance, shown[i].covariance);
  EXPECT_EQ(shown[0].logprob, view.logprob_T[shown[0].entry].item<double>());
  EXPECT_TRUE(most_covariant(view, at::zeros_like(selected), 5).empty());
}

TEST(ControlStackTest, AppliesOneControlAfterAnother) {
  EntropyControlConfig config = config_of("clip_cov");
  config.kind = {"clip_cov", "bonus"};
  config.entropy_coeff = 0.1;
  const ControlStack stack(config);
  ControlTerms terms;
  terms.loss_T = doubles({1, 2});
  terms.entropy_T = doubles({3, 4});
  EXPECT_TRUE(at::allclose(stack.apply(terms, {bools({1, 0}), {}}), doubles({-0.3, 1.6})));
}

}  // namespace
}  // namespace covrl
