#include "rollout/prompt_style.h"

#include <gtest/gtest.h>

#include "core/error.h"
#include "core/jsonl.h"
#include "tests/support/paths.h"

namespace covrl {
namespace {

const std::vector<FewShotExample> kExamples = {{"1+1?", "It is \\boxed{2}."}};

Prompt question(const std::string& text) {
  Prompt prompt;
  prompt.id.assign(1, 'q');
  prompt.text = text;
  prompt.gold.assign(1, '1');
  return prompt;
}

std::string error_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUsage);
    return error.what();
  }
  return "no error";
}

// With a small ChatML tokenizer and Qwen2.5-Math's template.
class PromptStyles : public ::testing::Test {
 protected:
  void SetUp() override {
    const std::string dir = testing::reference_path("fixtures/tokenizers/math512");
    COVRL_REQUIRE_REFERENCE(dir);
    pretrained_.dir = dir;
    pretrained_.tokenizer = std::make_shared<Tokenizer>(Tokenizer::from_dir(dir));
    pretrained_.chat = load_chat_template(dir, "qwen2.5-math");
  }

  // What the model reads.
  std::string read_by_model(const std::string& style, const Prompt& prompt,
                            const std::vector<FewShotExample>& examples = {},
                            const DataConfig& config = {}) {
    const StyledPrompts styled =
        prepare_styled({prompt}, find_prompt_style(style), examples, config, pretrained_);
    return pretrained_.tokenizer->decode(styled.set.prompts.at(0).tokens,
                                         /*skip_special_tokens=*/false);
  }

  Pretrained pretrained_;
};

constexpr const char* kSystem =
    "<|im_start|>system\nPlease reason step by step, and put your final answer within "
    "\\boxed{}.<|im_end|>\n";

TEST_F(PromptStyles, EachPutsTheProblemInItsWords) {
  const std::string end = "<|im_end|>\n<|im_start|>assistant\n";
  EXPECT_EQ(read_by_model("chat", question("2+2?")),
            concat(kSystem, "<|im_start|>user\n2+2?", end));
  EXPECT_EQ(read_by_model("given", question("2+2?")),
            concat(kSystem, "<|im_start|>user\n2+2?", end));
  EXPECT_EQ(read_by_model("qwen25-math-cot", question("2+2?")),
            concat(kSystem, "<|im_start|>user\n2+2?", end));
  EXPECT_EQ(read_by_model("boxed", question("2+2?")),
            concat(kSystem,
                   "<|im_start|>user\n2+2? Let's think step by step and output the final answer "
                   "within \\boxed{}.",
                   end));
  EXPECT_EQ(read_by_model("plain", question("2+2?")), "2+2?");
  EXPECT_EQ(read_by_model("cot", question("2+2?")), "Question: 2+2?\nAnswer:");
}

TEST_F(PromptStyles, ExamplesAreTurnsOfAChatOrOneText) {
  EXPECT_EQ(read_by_model("chat", question("2+2?"), kExamples),
            concat(kSystem,
                   "<|im_start|>user\n1+1?<|im_end|>\n<|im_start|>assistant\nIt is "
                   "\\boxed{2}.<|im_end|>\n<|im_start|>user\n2+2?<|im_end|>\n"
                   "<|im_start|>assistant\n"));
  EXPECT_EQ(read_by_model("qwen25-math-cot", question("2+2?"), kExamples),
            concat(kSystem,
                   "<|im_start|>user\n1+1?\nIt is \\boxed{2}.\n\n2+2?<|im_end|>\n"
                   "<|im_start|>assistant\n"));
  EXPECT_EQ(read_by_model("cot", question("2+2?"), kExamples),
            "Question: 1+1?\nAnswer: It is \\boxed{2}.\n\n\nQuestion: 2+2?\nAnswer:");
  EXPECT_EQ(read_by_model("plain", question("2+2?"), kExamples), "1+1?\nIt is \\boxed{2}.\n\n2+2?");
}

TEST_F(PromptStyles, GivenFollowsTheDataSection) {
  DataConfig config;
  config.prompt_suffix = " Box it.";
  EXPECT_EQ(read_by_model("given", question("2+2?"), kExamples, config),
            concat(kSystem,
                   "<|im_start|>user\n1+1? Box it.<|im_end|>\n<|im_start|>assistant\nIt is "
                   "\\boxed{2}.<|im_end|>\n<|im_start|>user\n2+2? Box it.<|im_end|>\n"
                   "<|im_start|>assistant\n"));
  config.use_chat_template = false;
  EXPECT_EQ(read_by_model("given", question("2+2?"), kExamples, config),
            "1+1? Box it.\nIt is \\boxed{2}.\n\n2+2? Box it.");
  EXPECT_EQ(read_by_model("chat", question("2+2?"), {}, config),
            concat(kSystem, "<|im_start|>user\n2+2?<|im_end|>\n<|im_start|>assistant\n"));
}

TEST_F(PromptStyles, RowsThatCarryTheInstructionKeepItOnce) {
  const std::string instructed =
      "2+2? Let's think step by step and output the final answer within \\boxed{}.";
  EXPECT_EQ(read_by_model("boxed", question(instructed)), read_by_model("boxed", question("2+2?")));
}

TEST_F(PromptStyles, ConversationsKeepTheirSystemTurnInAChat) {
  Prompt row;
  row.messages = {{"system", "Be short."}, {"user", "2+2?"}};
  EXPECT_EQ(read_by_model("chat", row),
            "<|im_start|>system\nBe short.<|im_end|>\n<|im_start|>user\n2+2?<|im_end|>\n"
            "<|im_start|>assistant\n");
  EXPECT_EQ(read_by_model("plain", row), "2+2?");
  row.messages.push_back({"assistant", "4"});
  row.messages.push_back({"user", "And 3+3?"});
  EXPECT_NE(error_of([&] { read_by_model("plain", row); }).find("several turns"),
            std::string::npos);
  EXPECT_NE(error_of([&] { read_by_model("given", row, kExamples); }).find("several turns"),
            std::string::npos);
  EXPECT_NE(read_by_model("given", row).find("And 3+3?"), std::string::npos);
}

TEST_F(PromptStyles, StopsAreTokensWhereTheTokenizerHasThem) {
  const auto stops = [&](const std::string& style) {
    return prepare_styled({question("a")}, find_prompt_style(style), {}, {}, pretrained_);
  };
  const StyledPrompts chatml = stops("qwen25-math-cot");
  EXPECT_EQ(chatml.stop_token_ids,
            (std::vector<int64_t>{pretrained_.tokenizer->token_to_id("<|im_end|>"),
                                  pretrained_.tokenizer->token_to_id("<|endoftext|>")}));
  EXPECT_EQ(chatml.stop_texts, (std::vector<std::string>{"\n\nQuestion:"}));
  EXPECT_TRUE(stops("chat").stop_token_ids.empty());
  EXPECT_TRUE(stops("chat").stop_texts.empty());
}

TEST_F(PromptStyles, AFrameOfAnotherFamilyIsRefused) {
  const std::string message = error_of([&] { read_by_model("llama", question("a")); });
  EXPECT_NE(message.find("<|eot_id|>"), std::string::npos) << message;
  EXPECT_NE(message.find("math512"), std::string::npos) << message;
}

TEST_F(PromptStyles, ProblemsThatAreExamplesAreNamed) {
  Prompt other = question("2+2?"), same = question("1+1?"), instructed = question("1+1? Box it.");
  other.id = "other", same.id = "same", instructed.id = "instructed";
  EXPECT_EQ(prepare_styled({other, same, instructed}, find_prompt_style("chat"), kExamples, {},
                           pretrained_)
                .example_ids,
            (std::vector<std::string>{"same", "instructed"}));
}

TEST(PromptStyleTable, UnknownNamesGetTheNearestAndAll) {
  const std::string message = error_of([] { find_prompt_style("qwen25-math-cto"); });
  EXPECT_NE(message.find("did you mean 'qwen25-math-cot'?"), std::string::npos) << message;
  for (const std::string& name : prompt_style_names())
    EXPECT_NE(message.find(name), std::string::npos) << message;
}

TEST(FewShotExamples, SolutionsComeFromTheRowOrItsGold) {
  const std::string path = testing::temporary_dir("examples") + "/shots.jsonl";
  write_file_atomically(path,
                        "{\"problem\":\"a\",\"answer\":\"1\"}\n{\"problem\":\"a\",\"answer\":\"1\"}"
                        "\n{\"problem\":\"b\",\"answer\":\"2\",\"solution\":\"two\"}\n"
                        "{\"problem\":\"c\",\"answer\":\"3\",\"response\":\"three\"}\n");
  const std::vector<FewShotExample> all = read_examples(path, {}, 0);
  ASSERT_EQ(all.size(), 3u);
  EXPECT_EQ(all[0].solution, "\\boxed{1}");
  EXPECT_EQ(all[1].solution, "two");
  EXPECT_EQ(all[2].solution, "three");
  EXPECT_EQ(read_examples(path, {}, 2).size(), 2u);
  EXPECT_NE(error_of([&] { read_examples(path, {}, 4); }).find("holds 3 distinct examples"),
            std::string::npos);
}

// The in-context baseline of the 1-shot paper: pi_1 before every problem.
TEST(FewShotExamples, TheOneShotFilesAreOneExample) {
  const std::string path = testing::reference_path("data/oneshot/pi1_r128.parquet");
  COVRL_REQUIRE_REFERENCE(path);
  const std::vector<FewShotExample> examples = read_examples(path, {}, 0);
  ASSERT_EQ(examples.size(), 1u);
  EXPECT_EQ(examples[0].solution, "\\boxed{12.8}");
}

}  // namespace
}  // namespace covrl
