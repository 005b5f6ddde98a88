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
  EXPECT_THROW(load({"kind=[none, bonus]", "entropy_coeff=1"}), Error);
  EXPECT_THROW(load({"kind=[]"}), Error);
  EXPECT_THROW(load({"entropy_coeff=0.001"}), Error);
  EXPECT_THROW(load({"kind=bonus"}), Error);
  EXPECT_THROW(load({"kind=bonus", "entropy_coeff=2"}), Error);
}

}  // namespace
}  // namespace covrl
