#include "rl/data_report.h"

#include <gtest/gtest.h>

#include "policy/pretrained.h"
#include "tests/support/paths.h"

namespace covrl {
namespace {

Prompt problem(const std::string& id, const std::string& text, const std::string& gold) {
  Prompt prompt;
  prompt.id = id;
  prompt.text = text;
  prompt.gold = gold;
  return prompt;
}

PromptSet prepared(std::vector<Prompt> rows, const Pretrained& pretrained, int64_t repeat = 1) {
  DataConfig config;
  config.repeat = repeat;
  config.max_prompt_length = 100000;
  return prepare_prompts(std::move(rows), config, pretrained);
}

class DataReport : public ::testing::Test {
 protected:
  Pretrained pretrained_ = load_pretrained_without_weights(testing::source_path("data/tiny/model"));
};

TEST_F(DataReport, ThreeDistinctPromptsAsTheModelReadsThem) {
  const PromptSet set = prepared({problem("a", "One?", "1"), problem("b", "Two?", "2"),
                                  problem("c", "Three?", "3"), problem("d", "Four?", "4")},
                                 pretrained_, /*repeat=*/5);
  const std::string text = rendered_prompts(set, *pretrained_.tokenizer);
  for (const std::string part :
       {"Prompt 1: id a, ", "Prompt 3: id c, ", "answer '3'", "Three?", "<|im_start|>user\n  | "})
    EXPECT_NE(text.find(part), std::string::npos) << part << " in: " << text;
  EXPECT_EQ(text.find("Four?"), std::string::npos);
}

TEST_F(DataReport, LongPromptsShowHeadAndTail) {
  const PromptSet set =
      prepared({problem("a", "HEAD" + std::string(9000, 'x') + "TAIL", "1")}, pretrained_);
  const std::string text = rendered_prompts(set, *pretrained_.tokenizer);
  EXPECT_LT(text.size(), 2000u);
  for (const std::string part : {"HEAD", "TAIL", " bytes ...]"})
    EXPECT_NE(text.find(part), std::string::npos) << part << " in: " << text;
}

TEST_F(DataReport, AnswersThatTheVerifierDoesNotKnowAreNamedOnce) {
  const PromptSet set =
      prepared({problem("a", "One?", "1"), problem("b", "Two?", "")}, pretrained_, /*repeat=*/3);
  const std::unique_ptr<Verifier> verifier = make_verifier("math_boxed");
  const std::vector<GoldFault> faults = find_gold_faults(set, *verifier);
  ASSERT_EQ(faults.size(), 1u);
  EXPECT_EQ(faults[0].id, "b");
  const std::string text = gold_fault_text(faults, set);
  EXPECT_NE(text.find("1 of 2 problems has"), std::string::npos) << text;
  EXPECT_NE(text.find("b ''"), std::string::npos) << text;
  EXPECT_EQ(gold_fault_text({}, set), "");
}

}  // namespace
}  // namespace covrl
