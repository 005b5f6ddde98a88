#include "entropy/control.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "core/error.h"

namespace covrl {
namespace {

ControlTerms make_terms() {
  ControlTerms terms;
  terms.loss_T = at::tensor({0.5, -1.0, 2.0}, at::kDouble).requires_grad_();
  terms.entropy_T = at::tensor({0.1, 0.7, 1.3}, at::kDouble).requires_grad_();
  terms.logprob_T = at::tensor({-0.1, -0.7, -1.3}, at::kDouble);
  terms.old_logprob_T = terms.logprob_T;
  return terms;
}

EntropyControlConfig load(const std::vector<std::string>& overrides) {
  EntropyControlConfig config;
  config::load({{}, overrides}, [&](config::Visitor& v) { config.describe(v); });
  return config;
}

TEST(NoneControlTest, LeavesTermsAlone) {
  const auto control = make_entropy_control("none", {});
  const ControlTerms terms = make_terms();
  EXPECT_TRUE(control->apply(terms).equal(terms.loss_T));
  EXPECT_FALSE(control->select({}).defined());
}

TEST(BonusControlTest, SubtractsEntropyWithItsGradient) {
  for (double coefficient : {0.003, -0.5}) {
    const auto control = make_entropy_control("bonus", {.entropy_coeff = coefficient});
    const ControlTerms terms = make_terms();
    const at::Tensor shaped = control->apply(terms);
    EXPECT_TRUE(shaped.equal(terms.loss_T - coefficient * terms.entropy_T));
    shaped.sum().backward();
    EXPECT_TRUE(terms.loss_T.grad().equal(at::ones(3, at::kDouble)));
    EXPECT_TRUE(terms.entropy_T.grad().equal(at::full(3, -coefficient, at::kDouble)));
  }
}

TEST(ControlTableTest, EveryNameIsMadeAndOthersAreRefused) {
  for (const std::string& name : entropy_control_names())
    EXPECT_NE(make_entropy_control(name, {.entropy_coeff = 0.1}), nullptr) << name;
  EXPECT_THROW(make_entropy_control("bonos", {}), Error);
}

TEST(ControlConfigTest, RefusesKnobsWithoutEffect) {
  EXPECT_EQ(load({"kind=bonus", "entropy_coeff=0.001"}).entropy_coeff, 0.001);
  EXPECT_EQ(load({}).kind, std::vector<std::string>{"none"});
  EXPECT_EQ(load({"kind=[bonus]", "entropy_coeff=1"}).kind, std::vector<std::string>{"bonus"});
  EXPECT_EQ(load({"kind=top_entropy", "score=old", "scope=micro"}).scope, "micro");
  for (const std::vector<std::string>& overrides : std::vector<std::vector<std::string>>{
           {"kind=[]"},
           {"entropy_coeff=0.001"},
           {"kind=bonus"},
           {"kind=bonus", "entropy_coeff=2"},
           {"clip_cov_ratio=0.001"},
           {"kind=kl_cov", "clip_cov_lb=2"},
           {"kind=clip_cov", "ppo_kl_coef=0.1"},
           {"kind=clip_cov", "kl_cov_penalty=k3"},
           {"kind=clip_cov", "top_entropy_ratio=0.1"},
           {"kind=bonus", "entropy_coeff=0.1", "score=old"},
           {"scope=micro"},
           {"set_point.enable=true", "set_point.high=1"},
           {"kind=clip_cov", "set_point.high=1"},
           {"kind=adaptive_bonus"},
           {"kind=bonus", "entropy_coeff=0.1", "target_entropy=1"}})
    EXPECT_THROW(load(overrides), Error) << overrides[0];
}

TEST(ControlConfigTest, RefusesCombinationsThatMakeNoSense) {
  EXPECT_EQ(load({"kind=[clip_cov, bonus]", "entropy_coeff=0.001"}).kind.size(), 2);
  EXPECT_EQ(load({"kind=[top_entropy, kl_cov]"}).kind.size(), 2);
  for (const std::vector<std::string>& overrides : std::vector<std::vector<std::string>>{
           {"kind=[none, bonus]", "entropy_coeff=1"},
           {"kind=[clip_cov, kl_cov]"},
           {"kind=[clip_cov, clip_cov]"},
           {"kind=[bonus, adaptive_bonus]", "entropy_coeff=0.01", "target_entropy=1"},
           {"kind=[bonus, clip_cov]", "entropy_coeff=0.01"},
           {"kind=[kl_cov, top_entropy]"},
           {"kind=clip_cov", "clip_cov_lb=5"},
           {"kind=adaptive_bonus", "target_entropy=1", "adaptive_coeff_min=0.2"}})
    EXPECT_THROW(load(overrides), Error) << overrides[0];
}

TEST(ControlConfigTest, RatiosAreFractions) {
  EXPECT_DOUBLE_EQ(load({"kind=clip_cov", "clip_cov_ratio=0.02%"}).clip_cov_ratio, 2e-4);
  EXPECT_DOUBLE_EQ(load({"kind=kl_cov", "kl_cov_ratio=0.05"}).kl_cov_ratio, 0.05);
  EXPECT_THROW(load({"kind=kl_cov", "kl_cov_ratio=0.2"}), Error);
  EXPECT_THROW(load({"kind=clip_cov", "clip_cov_ratio=6%"}), Error);
  EXPECT_EQ(load({"kind=kl_cov", "kl_cov_ratio=0.2", "force_ratio=true"}).kl_cov_ratio, 0.2);
}

}  // namespace
}  // namespace covrl
