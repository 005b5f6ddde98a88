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

TEST(NumericVerifier, AUnitLeavesTheNumber) {
  for (const char* answer : {"5 cm",
                             "5cm",
                             "5\\,\\text{cm}",
                             "5~\\mathrm{kg}",
                             "5 apples",
                             "5 square feet",
                             "5 miles per hour",
                             "5 km/h",
                             "5 N\\cdot m",
                             "5^\\circ",
                             "5^{\\circ}C",
                             "5\xC2\xB0",
                             "5\xE2\x82\xAC",
                             "5\\$",
                             "5 K",
                             "5 \\mu\\text{m}",
                             "5\\,\\Omega",
                             "5 kilowatt-hours",
                             "5 dollars.",
                             "500%",
                             "500 percent",
                             "500\\text{ percent}",
                             "x=5",
                             "v_{max} = 5",
                             "\\theta = 5",
                             "f(2) = 5 m",
                             "\\text{Total area} = 5",
                             "$x$ = 5"})
    EXPECT_EQ(judge("\\boxed{" + std::string(answer) + "}", "5").outcome, Outcome::kCorrect)
        << answer;
}

TEST(NumericVerifier, WhatChangesANumberIsNoUnit) {
  for (const char* answer : {"5\\pi",
                             "5!",
                             "5e",
                             "5x",
                             "5xy",
                             "5 xy",
                             "5i",
                             "5K",
                             "5 thousand",
                             "5 \\text{ million}",
                             "5 or six",
                             "5\\text{ or six}",
                             "5 six",
                             "5 and",
                             "5 not",
                             "5 dozen",
                             "5 halves",
                             "5 sqrt",
                             "5 pi",
                             "5\\sqrt{x}",
                             "5^x",
                             "5 + x",
                             "5/",
                             "5 m/",
                             "5 per",
                             "5 \\mu",
                             "5\\text{cm",
                             "5 one two three",
                             "5 of many apples",
                             "5\xCF\x80",
                             "5)",
                             "y<=5",
                             "y>=5",
                             "x\\ne=5",
                             "x\\le=5",
                             "x!=5",
                             "3=4=5",
                             "x=y=5",
                             "2x=5",
                             "x+1=5",
                             "not = 5",
                             "\\text{at least} = 5"})
    EXPECT_EQ(judge("\\boxed{" + std::string(answer) + "}", "5").outcome, Outcome::kUnparsed)
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
