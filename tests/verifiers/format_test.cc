#include <gtest/gtest.h>

#include <string>

#include "verifiers/verifier.h"

namespace covrl {
namespace {

Verdict judge(const std::string& response) {
  return make_verifier("format")->verify({response, "not looked at", ""});
}

TEST(FormatVerifier, AStatedAnswerIsCorrectWhateverItIs) {
  for (const char* response : {"\\boxed{wrong}", "The answer is 4.", "#### 12"}) {
    EXPECT_EQ(judge(response).outcome, Outcome::kCorrect) << response;
    EXPECT_EQ(judge(response).score, 1) << response;
  }
  EXPECT_EQ(judge("\\boxed{7}").extracted, "7");
}

TEST(FormatVerifier, NumbersInPassingAreNoAnswer) {
  for (const char* response : {"", "\\boxed{}", "\\boxed{7", "So we get 38. I am 90% sure."}) {
    EXPECT_EQ(judge(response).outcome, Outcome::kUnparsed) << response;
    EXPECT_EQ(judge(response).score, 0) << response;
  }
}

}  // namespace
}  // namespace covrl
