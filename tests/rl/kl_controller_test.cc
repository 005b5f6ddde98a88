#include "rl/kl_controller.h"

#include <gtest/gtest.h>

#include <iostream>

#include "core/error.h"
#include "tests/support/vectors.h"

namespace covrl {
namespace {

TEST(KlControllerTest, EqualsTheReferenceVectors) {
  COVRL_REQUIRE_VECTORS(path, "kl_controller");
  int num_checked = 0;
  for (const Json& one_case : testing::vector_cases(path)) {
    if (one_case["type"] != "adaptive") {
      std::cout << "kl_controller: type " << one_case["type"] << " is not known, skipped\n";
      continue;
    }
    KlController controller({.type = "adaptive",
                             .kl_coef = one_case["init"].get<double>(),
                             .target_kl = one_case["target"].get<double>(),
                             .horizon = one_case["horizon"].get<double>()});
    for (size_t i = 0; i < one_case["updates"].size(); ++i) {
      controller.update(one_case["updates"][i][0].get<double>(),
                        one_case["updates"][i][1].get<double>());
      testing::expect_close(controller.value(), one_case["values_after"][i].get<double>(), {},
                            concat("update ", i));
    }
    ++num_checked;
  }
  EXPECT_GT(num_checked, 0);
  std::cout << "kl_controller: " << num_checked << " cases checked\n";
}

TEST(KlControllerTest, AFixedCoefficientStays) {
  KlController controller({.kl_coef = 0.25});
  controller.update(100, 1e6);
  EXPECT_EQ(controller.value(), 0.25);
}

TEST(KlControllerTest, ALargeStepDoesNotTurnThePenaltyAround) {
  KlController controller({.type = "adaptive", .kl_coef = 0.25, .horizon = 10});
  controller.update(0, 1000);
  EXPECT_EQ(controller.value(), 0);
}

}  // namespace
}  // namespace covrl
