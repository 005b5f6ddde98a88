#include <gtest/gtest.h>

#include <string>

#include "verifiers/verifier.h"

namespace covrl {
namespace {

constexpr const char* kArc =
    R"({"choices": {"label": ["A", "B", "C", "D"], "text": ["Iron ore", "plants", "A plant cell", "air"]}})";

Outcome judge(const std::string& response, const std::string& gold = "C",
              const std::string& extra = kArc) {
  const Verdict verdict = make_verifier("choice")->verify({response, gold, "arc", extra});
  EXPECT_EQ(verdict.score, verdict.outcome == Outcome::kCorrect ? 1 : 0);
  return verdict.outcome;
}

TEST(ChoiceVerifier, LetterOrTextOfTheOption) {
  for (const char* response :
       {"\\boxed{C}", "\\boxed{(C)}", "\\boxed{\\text{(C)}}", "\\boxed{c}", "The answer is C.",
        "The answer is (C) a plant cell.", "Answer: C) A plant cell", "**Answer:** C", "#### C",
        "The answer is option C.", "\\boxed{a plant cell}", "The answer is A plant cell.", "C",
        "(C)", "I think it is not air.\n\n**C. A plant cell**", "First (A), but then\nC."})
    EXPECT_EQ(judge(response), Outcome::kCorrect) << response;
  for (const char* response : {"\\boxed{A}", "The answer is (D).", "Answer: iron ore", "B"})
    EXPECT_EQ(judge(response), Outcome::kWrong) << response;
}

TEST(ChoiceVerifier, TheLastStatedAnswerCounts) {
  EXPECT_EQ(judge("The answer is A. No, wait: the answer is C."), Outcome::kCorrect);
  EXPECT_EQ(judge("The answer is C. No, wait: the answer is A."), Outcome::kWrong);
  EXPECT_EQ(judge("\\boxed{C} or rather \\boxed{B}"), Outcome::kWrong);
}

TEST(ChoiceVerifier, HedgesAndContradictionsAreNoChoice) {
  for (const char* response :
       {"\\boxed{A or C}", "\\boxed{C, D}", "\\boxed{C. D.}", "\\boxed{ABCD}", "\\boxed{}",
        "\\boxed{(C}", "\\boxed{C) air}", "\\boxed{42}", "", "The options are (A) and (C)"})
    EXPECT_EQ(judge(response), Outcome::kUnparsed) << response;
}

TEST(ChoiceVerifier, OptionsCanBeNumberedOrUnknown) {
  const std::string numbered = R"({"choices": {"label": ["1", "2"], "text": ["up", "down"]}})";
  EXPECT_EQ(judge("\\boxed{2}", "2", numbered), Outcome::kCorrect);
  EXPECT_EQ(judge("\\boxed{down}", "2", numbered), Outcome::kCorrect);
  EXPECT_EQ(judge("\\boxed{1}", "2", numbered), Outcome::kWrong);
  EXPECT_EQ(judge("\\boxed{down}", "B", R"({"choices": ["up", "down"]})"), Outcome::kCorrect);
  EXPECT_EQ(judge("\\boxed{B}", "down", R"({"choices": ["up", "down"]})"), Outcome::kCorrect);
  EXPECT_EQ(judge("\\boxed{B}", "B", ""), Outcome::kCorrect);
  EXPECT_EQ(judge("\\boxed{down}", "B", ""), Outcome::kUnparsed);
}

// Options whose texts look like the labels of others.
TEST(ChoiceVerifier, ALabelAloneIsNotTheTextOfAnotherOption) {
  const std::string primes = R"({"choices": {"label": ["1", "2", "3"], "text": ["2", "3", "5"]}})";
  for (const char* response : {"(2)", "\\boxed{2}", "The answer is 2) 3", "2. 3"})
    EXPECT_EQ(judge(response, "2", primes), Outcome::kCorrect) << response;
  for (const char* response : {"(1)", "1) 2", "\\boxed{3}", "\\boxed{5}"})
    EXPECT_EQ(judge(response, "2", primes), Outcome::kWrong) << response;
  EXPECT_EQ(judge("\\boxed{5}", "3", primes), Outcome::kCorrect);
  const std::string blood =
      R"({"choices": {"label": ["A", "B", "C", "D"], "text": ["O", "A", "B", "AB"]}})";
  for (const char* response : {"(A)", "A) O", "\\boxed{O}"})
    EXPECT_EQ(judge(response, "A", blood), Outcome::kCorrect) << response;
  for (const char* response : {"(B)", "(B) A", "\\boxed{AB}"})
    EXPECT_EQ(judge(response, "A", blood), Outcome::kWrong) << response;
  EXPECT_EQ(judge("(A) B", "A", blood), Outcome::kUnparsed);
  EXPECT_EQ(judge("(D)", "AB", blood), Outcome::kCorrect);
}

TEST(ChoiceVerifier, AListWithoutLabelsIsNumberedWhereTheGoldAnswerIsANumberOfIt) {
  const std::string words = R"({"choices": ["up", "down"]})", digits = R"({"choices": ["2", "3"]})";
  EXPECT_EQ(judge("\\boxed{2}", "2", words), Outcome::kCorrect);
  EXPECT_EQ(judge("\\boxed{down}", "2", words), Outcome::kCorrect);
  EXPECT_EQ(judge("\\boxed{2}", "2", digits), Outcome::kCorrect);
  EXPECT_EQ(judge("\\boxed{A}", "2", digits), Outcome::kCorrect);
  EXPECT_EQ(judge("\\boxed{B}", "2", digits), Outcome::kWrong);
}

TEST(ChoiceVerifier, WrappersOfAnyDepthAreStripped) {
  const auto wrapped = [](int depth) {
    std::string text;
    for (int i = 0; i < depth; ++i) text += "\\text{";
    return "Answer: " + text + "C" + std::string(static_cast<size_t>(depth), '}');
  };
  EXPECT_EQ(judge(wrapped(1000)), Outcome::kCorrect);
  EXPECT_EQ(judge(wrapped(170'000)), Outcome::kUnparsed);
  std::string line;
  for (int i = 0; i < 170'000; ++i) line += "\\text{";
  EXPECT_EQ(judge(line + "C" + std::string(170'000, '}')), Outcome::kUnparsed);
}

TEST(ChoiceVerifier, AGoldAnswerThatIsNoOptionIsAFailure) {
  EXPECT_EQ(judge("\\boxed{C}", "what?"), Outcome::kFailed);
  EXPECT_EQ(judge("\\boxed{E}", "E"), Outcome::kFailed);
}

}  // namespace
}  // namespace covrl
