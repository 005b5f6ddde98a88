#include <gtest/gtest.h>

#include <string>

#include "verifiers/verifier.h"

namespace covrl {
namespace {

Outcome judge(const std::string& response, const std::string& gold, ExactOptions exact = {}) {
  VerifierOptions options;
  options.exact = exact;
  const Verdict verdict = make_verifier("exact", options)->verify({response, gold, ""});
  EXPECT_EQ(verdict.score, verdict.outcome == Outcome::kCorrect ? 1 : 0);
  return verdict.outcome;
}

TEST(ExactVerifier, WhiteSpaceAroundTheAnswerIsIgnoredAndNothingElse) {
  EXPECT_EQ(judge(" \n Paris\t", "Paris "), Outcome::kCorrect);
  EXPECT_EQ(judge("paris", "Paris"), Outcome::kWrong);
  EXPECT_EQ(judge("New  York", "New York"), Outcome::kWrong);
  EXPECT_EQ(judge(std::string("Par\0is", 6), "Paris"), Outcome::kWrong);
  EXPECT_EQ(judge("", "Paris"), Outcome::kUnparsed);
}

TEST(ExactVerifier, ABlankGoldAnswerIsAFailure) {
  for (const char* response : {"", "Paris"})
    for (const char* gold : {"", " \n"})
      EXPECT_EQ(judge(response, gold), Outcome::kFailed) << response;
  EXPECT_EQ(make_verifier("exact")->verify({"", " ", ""}).reason, "the gold answer is empty");
}

TEST(ExactVerifier, AStatedAnswerStandsForTheResponse) {
  EXPECT_EQ(judge("It is not Rome. \\boxed{Paris}", "Paris"), Outcome::kCorrect);
  EXPECT_EQ(judge("The answer is Paris.", "Paris"), Outcome::kCorrect);
  EXPECT_EQ(judge("Paris or Rome", "Paris"), Outcome::kWrong);
  EXPECT_EQ(judge("\\boxed{Paris}", "Paris", {.whole_response = true}), Outcome::kWrong);
  EXPECT_EQ(judge("\\boxed{Paris}", "\\boxed{Paris}", {.whole_response = true}), Outcome::kCorrect);
}

TEST(ExactVerifier, CaseIsASwitch) {
  EXPECT_EQ(judge("PARIS", "Paris", {.ignore_case = true}), Outcome::kCorrect);
  EXPECT_EQ(judge("Rome", "Paris", {.ignore_case = true}), Outcome::kWrong);
}

}  // namespace
}  // namespace covrl
