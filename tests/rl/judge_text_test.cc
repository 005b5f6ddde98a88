#include "rl/judge_text.h"

#include <gtest/gtest.h>

namespace covrl {
namespace {

TEST(JudgeText, NamesTheVerifiersAndWhatIsNotTheDefault) {
  VerifierOptions options;
  EXPECT_EQ(judge_text({"math"}, {}, options), "math");
  options.numeric.rel_tol = 0.01;
  options.numeric.abs_tol = 0.5;
  EXPECT_EQ(judge_text({"numeric"}, {}, options),
            "numeric verifier.numeric.abs_tol=0.5 verifier.numeric.rel_tol=0.01");
  EXPECT_EQ(judge_text({"exact"}, {}, options), "exact");  // keys of another one
  options.math.rounding = true;
  EXPECT_EQ(judge_text({"math"}, {}, options), "math verifier.math.rounding=true");
  options.math.loose = false;  // math_boxed takes boxes only
  EXPECT_EQ(judge_text({"math_boxed"}, {}, options), "math_boxed verifier.math.rounding=true");
}

TEST(JudgeText, WeightsOfOneEachAreTheDefault) {
  EXPECT_EQ(judge_text({"math", "format"}, {}, {}), "math+format");
  EXPECT_EQ(judge_text({"math", "format"}, {1, 1}, {}), "math+format");
  EXPECT_EQ(judge_text({"math", "format"}, {1, 0.1}, {}), "math+format reward.weights=[1.0,0.1]");
  EXPECT_NE(judge_text({"math", "format"}, {1, 0.1}, {}),
            judge_text({"math", "format"}, {1, 0.1000000001}, {}));
}

TEST(JudgeText, SaysWhetherItIsOutsideOurCode) {
  VerifierOptions options;
  options.external_process.command = {"python3", "reward.py"};
  const std::string judge = judge_text({"math", "external_process"}, {}, options);
  EXPECT_NE(judge.find("reward.py"), std::string::npos) << judge;
  EXPECT_TRUE(is_external(judge));
  EXPECT_FALSE(is_external("math"));
}

}  // namespace
}  // namespace covrl
