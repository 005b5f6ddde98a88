#include "rollout/prompt_style.h"

#include <gtest/gtest.h>

#include <algorithm>

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
  EXPECT_TRUE(chatml.stop_texts.empty());
  EXPECT_EQ(stops("cot").stop_texts, (std::vector<std::string>{"\n\nQuestion:"}));
  EXPECT_TRUE(stops("chat").stop_token_ids.empty());
  EXPECT_TRUE(stops("chat").stop_texts.empty());
}

TEST_F(PromptStyles, AFrameOfAnotherFamilyIsRefused) {
  const std::string message = error_of([&] { read_by_model("llama", question("a")); });
  EXPECT_NE(message.find("<|eot_id|>"), std::string::npos) << message;
  EXPECT_NE(message.find("math512"), std::string::npos) << message;
}

// Of the problems of AMC23 and OlympiadBench one each begins or ends with white space, which
// Qwen2.5-Eval takes away.
TEST_F(PromptStyles, ThoseOfQwenEvalTrimTheProblem) {
  for (const std::string style : {"cot", "qwen25-math-cot"})
    EXPECT_EQ(read_by_model(style, question("\n2+2? "), {{" 1+1?\n", "2"}}),
              read_by_model(style, question("2+2?"), {{"1+1?", "2"}}));
  EXPECT_EQ(read_by_model("plain", question("\n2+2? ")), "\n2+2? ");
}

// With the turns of Llama 3 and R1-Distill: the small ChatML tokenizer and their tokens.
class TurnsOfOtherFamilies : public PromptStyles {
 protected:
  void SetUp() override {
    PromptStyles::SetUp();
    if (pretrained_.tokenizer == nullptr) return;  // no reference data
    Json tokenizer = read_json(pretrained_.dir + "/tokenizer.json");
    int64_t id = pretrained_.tokenizer->vocab_size();
    for (const auto& [token, is_special] : kTokens)
      tokenizer["added_tokens"].push_back({{"id", id++},
                                           {"content", token},
                                           {"single_word", false},
                                           {"lstrip", false},
                                           {"rstrip", false},
                                           {"normalized", false},
                                           {"special", is_special}});
    const std::string path = testing::temporary_dir("turns") + "/tokenizer.json";
    write_file_atomically(path, tokenizer.dump());
    pretrained_.tokenizer = std::make_shared<Tokenizer>(Tokenizer::from_file(path));
  }

  // How often the model reads the token as one.
  int64_t count(const std::string& style, const std::string& token) {
    const StyledPrompts styled =
        prepare_styled({question("2+2?")}, find_prompt_style(style), {}, {}, pretrained_);
    const int64_t id = pretrained_.tokenizer->token_to_id(token);
    return std::ranges::count(styled.set.prompts.at(0).tokens, id);
  }

  // R1-Distill's turns and <think> are added tokens that are not special.
  const std::vector<std::pair<std::string, bool>> kTokens = {{"<|begin_of_text|>", true},
                                                             {"<|end_of_text|>", true},
                                                             {"<|start_header_id|>", true},
                                                             {"<|end_header_id|>", true},
                                                             {"<|eot_id|>", true},
                                                             {"<｜begin▁of▁sentence｜>", true},
                                                             {"<｜end▁of▁sentence｜>", true},
                                                             {"<｜User｜>", false},
                                                             {"<｜Assistant｜>", false},
                                                             {"<think>", false}};
};

// The texts of Qwen2.5-Eval at 21ed529, evaluation/utils.py.
TEST_F(TurnsOfOtherFamilies, AreThoseOfThePaper) {
  EXPECT_EQ(read_by_model("llama", question("2+2?")),
            "<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\n"
            "Cutting Knowledge Date: December 2023\nToday Date: 17 Apr 2025\n\n <|eot_id|>"
            "<|start_header_id|>user<|end_header_id|>\n\n2+2?<|eot_id|>"
            "<|start_header_id|>assistant<|end_header_id|>\n\n");
  EXPECT_EQ(count("llama", "<|begin_of_text|>"), 1);
  EXPECT_EQ(count("llama", "<|start_header_id|>"), 3);
  EXPECT_EQ(count("llama", "<|eot_id|>"), 2);
  EXPECT_EQ(read_by_model("deepseek-distill", question("2+2?")),
            "<｜begin▁of▁sentence｜><｜User｜>2+2?<｜Assistant｜><think>\n");
  for (const char* token : {"<｜begin▁of▁sentence｜>", "<｜User｜>", "<｜Assistant｜>", "<think>"})
    EXPECT_EQ(count("deepseek-distill", token), 1) << token;
}

TEST_F(TurnsOfOtherFamilies, EndAtTheTokensOfTheirTurns) {
  const auto stops = [&](const std::string& style) {
    return prepare_styled({question("a")}, find_prompt_style(style), {}, {}, pretrained_)
        .stop_token_ids;
  };
  const Tokenizer& tokenizer = *pretrained_.tokenizer;
  EXPECT_EQ(stops("llama"), (std::vector<int64_t>{tokenizer.token_to_id("<|eot_id|>"),
                                                  tokenizer.token_to_id("<|end_of_text|>")}));
  EXPECT_EQ(stops("deepseek-distill"),
            (std::vector<int64_t>{tokenizer.token_to_id("<｜end▁of▁sentence｜>")}));
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
