#include "verifiers/weighted.h"

#include <gtest/gtest.h>

namespace covrl {
namespace {

TEST(Weighted, TheRewardIsTheWeightedSum) {
  const auto verifier = make_verifiers({"math", "format"}, {1, 0.125}, {});
  const Verdict both = verifier->verify({"\\boxed{4}", "4", ""});
  EXPECT_EQ(both.outcome, Outcome::kCorrect);
  EXPECT_EQ(both.score, 1.125);
  EXPECT_EQ(both.extracted, "4");
  const Verdict format_only = verifier->verify({"\\boxed{5}", "4", ""});
  EXPECT_EQ(format_only.outcome, Outcome::kWrong);
  EXPECT_EQ(format_only.score, 0.125);
  ASSERT_EQ(format_only.parts.size(), 2u);
  EXPECT_EQ(format_only.parts[0].outcome, Outcome::kWrong);
  EXPECT_EQ(format_only.parts[1].outcome, Outcome::kCorrect);
  EXPECT_EQ(format_only.parts[1].score, 1);
}

TEST(Weighted, TheFirstDecidesTheOutcome) {
  const auto verifier = make_verifiers({"format", "math"}, {}, {});
  EXPECT_EQ(verifier->verify({"\\boxed{5}", "4", ""}).outcome, Outcome::kCorrect);
  EXPECT_EQ(verifier->verify({"\\boxed{5}", "4", ""}).score, 1);
}

// numeric fails where the gold answer is no number.
TEST(Weighted, AFailureOfOneThatCountsIsAFailureOfAll) {
  for (const auto& names : {std::vector<std::string>{"exact", "numeric"}, {"numeric", "exact"}}) {
    const Verdict verdict = make_verifiers(names, {1, 0.5}, {})->verify({"x", "x", ""});
    EXPECT_EQ(verdict.outcome, Outcome::kFailed);
    EXPECT_EQ(verdict.reason.find("numeric: "), 0u) << verdict.reason;
  }
}

TEST(Weighted, OneOfWeightZeroIsOnlyWatched) {
  const Verdict verdict = make_verifiers({"exact", "numeric"}, {2, 0}, {})->verify({"x", "x", ""});
  EXPECT_EQ(verdict.outcome, Outcome::kCorrect);
  EXPECT_EQ(verdict.score, 2);
  EXPECT_EQ(verdict.parts[1].outcome, Outcome::kFailed);
}

TEST(Weighted, ASumThatIsNotFiniteIsAFailure) {
  VerifierOptions options;
  options.external_process.command = {
      "sh", "-c", "echo '{\"ready\": true}'; while read -r line; do echo 1e308; done"};
  const auto verifier = make_verifiers({"external_process", "format"}, {10, 1}, options);
  const Verdict verdict = verifier->verify({"\\boxed{4}", "4", ""});
  EXPECT_EQ(verdict.outcome, Outcome::kFailed);
  EXPECT_NE(verdict.reason.find("not finite"), std::string::npos) << verdict.reason;
}

TEST(Weighted, OneOfWeightOneStandsForItself) {
  EXPECT_EQ(make_verifiers({"math"}, {}, {})->verify({"\\boxed{4}", "4", ""}).parts.size(), 0u);
  EXPECT_EQ(make_verifiers({"math"}, {1}, {})->name(), "math");
  EXPECT_EQ(make_verifiers({"math"}, {0.5}, {})->verify({"\\boxed{4}", "4", ""}).score, 0.5);
}

TEST(Weighted, ExplainsEach) {
  EXPECT_EQ(make_verifiers({"math", "format"}, {}, {})->explain({"\\boxed{4}", "4", ""}).size(),
            2u);
}

}  // namespace
}  // namespace covrl
