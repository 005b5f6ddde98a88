#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

#include "verifiers/verifier.h"

namespace covrl {
namespace {

Verdict judge(const std::string& response, const std::string& gold) {
  static const std::unique_ptr<Verifier> verifier = make_verifier("math");
  return verifier->verify({response, gold, "test"});
}

std::string outcome(const std::string& response, const std::string& gold) {
  return outcome_name(judge(response, gold).outcome);
}

std::string boxed(const std::string& answer) { return "So \\boxed{" + answer + "}."; }

TEST(MathVerifier, VerdictCarriesScoreAndAnswer) {
  const Verdict right = judge(boxed("\\frac{24}{2}"), "12");
  EXPECT_EQ(right.outcome, Outcome::kCorrect);
  EXPECT_EQ(right.score, 1);
  EXPECT_EQ(right.extracted, "\\frac{24}{2}");
  EXPECT_GT(right.seconds, 0);
  const Verdict wrong = judge(boxed("13"), "12");
  EXPECT_EQ(wrong.outcome, Outcome::kWrong);
  EXPECT_EQ(wrong.score, 0);
  EXPECT_EQ(wrong.extracted, "13");
}

TEST(MathVerifier, TheLabelDecides) {
  EXPECT_EQ(outcome(boxed("12.8"), "12.8"), "correct");
  EXPECT_EQ(outcome(boxed("\\frac{64}{5}"), "12.8"), "correct");
  EXPECT_EQ(outcome(boxed("12.7"), "12.8"), "wrong");
}

TEST(MathVerifier, ListsSetsTuplesIntervals) {
  EXPECT_EQ(outcome(boxed("7, 3 \\text{ and } 5"), "3, 5, 7"), "correct");
  EXPECT_EQ(outcome(boxed("\\{5, 3, 7\\}"), "3,5,7"), "correct");
  EXPECT_EQ(outcome(boxed("3, 5"), "3,5,7"), "wrong");
  EXPECT_EQ(outcome(boxed("3, 3, 5"), "3,5,5"), "wrong");
  EXPECT_EQ(outcome(boxed("(16.0, 17)"), "(16,17)"), "correct");
  EXPECT_EQ(outcome(boxed("(17, 16)"), "(16,17)"), "wrong");
  EXPECT_EQ(outcome(boxed("[2,5]"), "[2,5)"), "wrong");
  EXPECT_EQ(outcome(boxed("(3,4) \\cup (1,2]"), "(1,2]\\cup(3,4)"), "correct");
}

TEST(MathVerifier, HedgesAreWrong) {
  for (const char* answer : {"5, 6", "5 \\text{ or } 6", "\\pm 5",
                             "5 \\text{ (if } n \\text{ is even)}, 6", "\\{4,5,6\\}"})
    EXPECT_EQ(outcome(boxed(answer), "5"), "wrong") << answer;
  EXPECT_EQ(outcome("\\boxed{5} or \\boxed{6}", "5"), "wrong");
  EXPECT_EQ(outcome("\\boxed{5} \\boxed{6}", "5"), "wrong");
}

TEST(MathVerifier, DeniedValuesArePaidNothing) {
  for (const char* response :
       {"The answer is not 5.", "The answer is not $5$.", "The answer is not equal to 5.",
        "The answer is never 5", "The answer is at most 5.", "The answer is certainly not $x = 5$.",
        "The answer is not AB = 5.", "The answer is anything except 5.", "#### not 5",
        "The answer isn't 5.", "We find that it is not 5.", "It cannot be $5$."})
    EXPECT_EQ(judge(response, "5").score, 0) << response;
  for (const char* response : {"The answer is the value 5.", "The answer is $5$, not 6.",
                               "It is not hard: we get 5.", "It is not 4. The answer is then 5."})
    EXPECT_EQ(outcome(response, "5"), "correct") << response;
}

TEST(MathVerifier, NoAnswerIsUnparsed) {
  for (const char* response : {"", "   ", "\\boxed{}", "The answer is 5 \\boxed{", "I am 90% sure.",
                               "output the final answer within \\boxed{}."})
    EXPECT_EQ(outcome(response, "5"), "unparsed") << response;
}

TEST(MathVerifier, AdversarialTextScoresNothing) {
  EXPECT_EQ(judge(boxed(std::string("5\0", 2)), "5").score, 0);
  EXPECT_EQ(judge(boxed("10^{10^{10^{10}}}"), "5").score, 0);
  EXPECT_EQ(judge("\\boxed{6}\n<!-- ground truth: 5 -->", "5").score, 0);
  for (const char* piece : {"{", "\\boxed{", "\\frac{", "(", "$", "1+", "-", "x=", "\\boxed{1},"}) {
    std::string flood;
    while (flood.size() < 1000000) flood += piece;
    EXPECT_EQ(judge(flood, "5").score, 0) << piece;
    EXPECT_EQ(judge("\\boxed{" + flood + "}", "5").score, 0) << piece;
    EXPECT_EQ(judge("the answer is " + flood, "5").score, 0) << piece;
  }
}

TEST(MathVerifier, AGoldBeyondTheLimitsFails) {
  EXPECT_EQ(outcome(boxed("5"), std::string(50000, '7')), "failed");
  EXPECT_EQ(outcome(boxed(std::string(50000, '7')), std::string(50000, '7')), "correct");
}

// No way out of a zero: what cannot be read or computed is failed (masked) for its gold alone.
TEST(MathVerifier, AnAnswerBeyondTheLimitsScoresZero) {
  const auto repeated = [](const char* piece, int n) {
    std::string text;
    for (int i = 0; i < n; ++i) text += piece;
    return text;
  };
  for (const char* gold : {"2", "\\frac{1}{2}", "\\text{east}", "(1,2)", "x^2+\\sin x", "3, 5"}) {
    for (const char* answer :
         {"9^{9^{9^9}}", "((100!)!)!", "1e999999999", "2^{1/99991}(a+b+c+d)^{60}"})
      EXPECT_EQ(outcome(boxed(answer), gold), "wrong") << gold << " " << answer;
    for (const std::string& answer :
         {std::string(17000, '7'), repeated("(", 200) + "2" + repeated(")", 200),
          repeated("\\text{", 200) + "2" + repeated("}", 200)})
      EXPECT_EQ(outcome(boxed(answer), gold), "unparsed") << gold << " " << answer.substr(0, 20);
    EXPECT_EQ(outcome(repeated("\\boxed{2}, ", 100000), gold), "unparsed") << gold;
  }
}

TEST(MathVerifier, AFailureSaysWhy) {
  EXPECT_EQ(judge(boxed("5"), "").reason, "the gold answer is empty");
  EXPECT_EQ(judge(boxed("5"), "9^{9^{9^9}}").outcome, Outcome::kFailed);
  EXPECT_NE(judge(boxed("5"), "9^{9^{9^9}}").reason.find("too large"), std::string::npos);
  EXPECT_EQ(judge(boxed("5"), std::string(50000, '7')).reason, "too long a gold answer");
  EXPECT_EQ(judge(boxed("5"), "6").reason, "");
}

TEST(MathVerifier, IsThreadSafe) {
  const std::unique_ptr<Verifier> verifier = make_verifier("math");
  std::vector<int> num_correct(4);
  std::vector<std::thread> threads;
  for (int& count : num_correct)
    threads.emplace_back([&] {
      for (int i = 0; i < 200; ++i) {
        const std::string answer = boxed(std::to_string(i) + "\\tan^2 y\\text{ cm}");
        const std::string gold = "100\\sec^2 y - 100";
        count += verifier->verify({answer, gold, ""}).outcome == Outcome::kCorrect;
      }
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(num_correct, std::vector<int>({1, 1, 1, 1}));
}

TEST(MathBoxedVerifier, PaysForABoxAlone) {
  const auto verifier = make_verifier("math_boxed");
  const auto outcome = [&](std::string_view response) {
    return verifier->verify({response, "11", ""}).outcome;
  };
  EXPECT_EQ(outcome("So \\boxed{11}."), Outcome::kCorrect);
  EXPECT_EQ(outcome("So \\boxed{12}."), Outcome::kWrong);
  EXPECT_EQ(outcome("The answer is 11."), Outcome::kUnparsed);
  EXPECT_EQ(outcome("Then left 65-54=11."), Outcome::kUnparsed);
}

}  // namespace
}  // namespace covrl
