#include "rollout/stop_texts.h"

#include <gtest/gtest.h>

#include "tests/support/paths.h"

namespace covrl {
namespace {

class StopTextsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const std::string dir = testing::reference_path("fixtures/tokenizers/math512");
    COVRL_REQUIRE_REFERENCE(dir);
    tokenizer_ = std::make_shared<Tokenizer>(Tokenizer::from_dir(dir));
  }

  // Tokens of `text` until the stop is reached; all when it never is.
  std::string taken(const StopTexts& stops, const std::string& text) {
    std::vector<int64_t> tokens;
    for (const int64_t token : tokenizer_->encode(text)) {
      tokens.push_back(token);
      if (stops.reached(tokens)) break;
    }
    return tokenizer_->decode(tokens, /*skip_special_tokens=*/true);
  }

  std::shared_ptr<Tokenizer> tokenizer_;
};

TEST_F(StopTextsTest, EndWhereOneIsComplete) {
  const StopTexts stops({"\n\nQuestion:", "STOP"}, *tokenizer_);
  const std::string answer = "It is 4 é.", whole = answer + "\n\nQuestion: 3+3?\nAnswer: 6";
  EXPECT_EQ(stops.before(taken(stops, whole)), answer);
  EXPECT_LT(taken(stops, whole).size(), whole.size() - 8);
  EXPECT_EQ(taken(stops, answer + "\n\nQuestion"), answer + "\n\nQuestion");
  EXPECT_EQ(stops.before(answer + " STOP\n\nQuestion:"), answer + " ");
  EXPECT_EQ(stops.before(answer), answer);
}

TEST_F(StopTextsTest, NoneEndNothing) {
  const StopTexts none({}, *tokenizer_);
  EXPECT_TRUE(none.empty());
  EXPECT_FALSE(none.reached(tokenizer_->encode("a")));
  EXPECT_EQ(none.before("a"), "a");
}

}  // namespace
}  // namespace covrl
