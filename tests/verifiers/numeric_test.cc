#include <gtest/gtest.h>

#include <string>

#include "verifiers/verifier.h"

namespace covrl {
namespace {

Verdict judge(const std::string& response, const std::string& gold, NumericOptions numeric = {}) {
  VerifierOptions options;
  options.numeric = numeric;
  return make_verifier("numeric", options)->verify({response, gold, ""});
}

TEST(NumericVerifier, TheLargerToleranceHolds) {
  const auto outcome = [](const char* answer, double rel, double abs) {
    return judge("\\boxed{" + std::string(answer) + "}", "-200", {.rel_tol = rel, .abs_tol = abs})
        .outcome;
  };
  EXPECT_EQ(outcome("-202", 0.01, 0), Outcome::kCorrect);
  EXPECT_EQ(outcome("-202.1", 0.01, 0), Outcome::kWrong);
  EXPECT_EQ(outcome("-205", 0.01, 5), Outcome::kCorrect);
  EXPECT_EQ(outcome("-200.001", 0, 0), Outcome::kWrong);
  EXPECT_EQ(outcome("-200.0", 0, 0), Outcome::kCorrect);
  EXPECT_EQ(outcome("200", 0.01, 5), Outcome::kWrong);
}

TEST(NumericVerifier, SpellingsOfANumber) {
  for (const char* answer :
       {"1234.5", "$1,234.50", "1{,}234.5", "+1234.5", "1.2345e3", "1.2345\\times 10^{3}",
        "1.2345 x 10^3", "2469/2", "\\frac{2469}{2}", "1234.5 m/s", "x = 1234.5", "123450\\%"})
    EXPECT_EQ(judge("\\boxed{" + std::string(answer) + "}", "1234.5", {.rel_tol = 1e-12}).outcome,
              Outcome::kCorrect)
        << answer;
  EXPECT_EQ(judge("The answer is \xE2\x88\x92"
                  "4.",
                  "-4")
                .outcome,
            Outcome::kCorrect);
}

TEST(NumericVerifier, HedgesAndOtherTextAreNoNumber) {
  for (const char* answer : {"3 or 4", "3, 4", "10^5", "1/0", "three", "", "3/x", "3 m^2"})
    EXPECT_EQ(judge("\\boxed{" + std::string(answer) + "}", "3").outcome, Outcome::kUnparsed)
        << answer;
}

TEST(NumericVerifier, ANumberInPassingIsRightOrNoAnswer) {
  EXPECT_EQ(judge("We get 12.", "12").outcome, Outcome::kCorrect);
  EXPECT_EQ(judge("We get 13.", "12").outcome, Outcome::kUnparsed);
}

TEST(NumericVerifier, AGoldAnswerThatIsNoNumberIsAFailure) {
  const Verdict verdict = judge("\\boxed{3}", "three");
  EXPECT_EQ(verdict.outcome, Outcome::kFailed);
  EXPECT_NE(verdict.reason.find("'three'"), std::string::npos);
}

}  // namespace
}  // namespace covrl
