#include "entropy/set_point.h"

#include <gtest/gtest.h>

#include <cmath>

#include "entropy/control.h"

namespace covrl {
namespace {

SetPointConfig band() {
  return {
      .enable = true, .low = 0.4, .high = 0.6, .gain = 0.5, .min_strength = 0.5, .max_strength = 2};
}

TEST(SetPointTest, MovesAgainstTheErrorAndRestsInsideTheBand) {
  SetPoint set_point(band());
  set_point.observe(0.4);
  set_point.observe(0.6);
  EXPECT_EQ(set_point.strength(), 1);
  set_point.observe(0.3);
  EXPECT_DOUBLE_EQ(set_point.strength(), std::exp(0.5 * 0.25));
  set_point.observe(0.75);
  EXPECT_DOUBLE_EQ(set_point.strength(), 1);
  set_point.observe(0.5);
  EXPECT_DOUBLE_EQ(set_point.strength(), 1);
}

TEST(SetPointTest, StaysBounded) {
  SetPoint set_point(band());
  for (int i = 0; i < 9; ++i) set_point.observe(0);
  EXPECT_EQ(set_point.strength(), 2);
  for (int i = 0; i < 9; ++i) set_point.observe(100);
  EXPECT_EQ(set_point.strength(), 0.5);
}

// A plant whose entropy settles where strength puts it: the controller finds the band.
TEST(SetPointTest, HoldsTheBandOfASimplePlant) {
  SetPointConfig config = band();
  config.gain = 0.3;
  SetPoint set_point(config);
  double entropy = 1;
  for (int i = 0; i < 200; ++i) {
    set_point.observe(entropy);
    entropy += 0.2 * (0.35 * set_point.strength() - entropy);
  }
  EXPECT_GE(entropy, config.low - 0.01);
  EXPECT_LE(entropy, config.high + 0.01);
}

TEST(SetPointTest, WithoutItStrengthIsOneAndNothingIsKept) {
  SetPoint set_point({});
  set_point.observe(0);
  EXPECT_EQ(set_point.strength(), 1);
  EXPECT_TRUE(set_point.state("kl_cov").empty());
  Metrics metrics;
  set_point.report(metrics);
  EXPECT_TRUE(metrics.empty());
}

TEST(SetPointTest, StateIsReadBackByItsOwnControl) {
  EntropyControlConfig config;
  config.set_point = band();
  for (const char* kind : {"clip_cov", "kl_cov"}) {
    const auto control = make_entropy_control(kind, config);
    control->observe(0.1);
    const auto state = control->state();
    ASSERT_EQ(state.size(), 1) << kind;
    const auto other = make_entropy_control(kind, config);
    other->load_state(state);
    EXPECT_EQ(other->state(), state) << kind;
    Metrics metrics;
    other->report(metrics);
    EXPECT_GT(metrics.at("entropy_ctrl/strength"), 1) << kind;
  }
}

}  // namespace
}  // namespace covrl
