#include "rollout/prompt_source.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "core/error.h"
#include "core/jsonl.h"
#include "tests/support/paths.h"

namespace covrl {
namespace {

// A jsonl file with the given lines.
std::string file_of(const std::string& lines) {
  const std::string path = testing::temporary_dir("prompts") + "/problems.jsonl";
  write_file_atomically(path, lines);
  return path;
}

template <class Call>
std::string error_of(const Call& call) {
  try {
    call();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUsage);
    return error.what();
  }
  return "no error";
}

void expect_mentions(const std::string& message, const std::vector<std::string>& words) {
  for (const std::string& word : words)
    EXPECT_NE(message.find(word), std::string::npos) << word << " in: " << message;
}

TEST(PromptSource, PlainRows) {
  const std::vector<Prompt> rows =
      read_prompts(file_of("{\"id\":\"a-1\",\"problem\":\"1+1?\",\"answer\":\"2\"}\n\n{"
                           "\"question\":\"2+2?\",\"answer\":4}\n"),
                   {});
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0].id, "a-1");
  EXPECT_EQ(rows[0].text, "1+1?");
  EXPECT_EQ(rows[0].gold, "2");
  EXPECT_EQ(rows[0].data_source, "problems");
  EXPECT_EQ(rows[1].row, 1);
  EXPECT_EQ(rows[1].index, 1);
  EXPECT_EQ(rows[1].id, "1");
  EXPECT_EQ(rows[1].gold, "4");
  EXPECT_EQ(rows[1].extra_info, "");
}

TEST(PromptSource, ConversationalRows) {
  const std::vector<Prompt> rows =
      read_prompts(file_of("{\"prompt\":[{\"role\":\"system\",\"content\":\"s\"},{\"role\":"
                           "\"user\",\"content\":\"u\"}],"
                           "\"answer\":\"wrong "
                           "one\",\"data_source\":\"x\",\"reward_model\":{\"ground_truth\":\"7\"},"
                           "\"extra_info\":{\"index\":41}}\n"),
                   {});
  ASSERT_EQ(rows.size(), 1u);
  ASSERT_EQ(rows[0].messages.size(), 2u);
  EXPECT_EQ(rows[0].messages[1].role, "user");
  EXPECT_EQ(rows[0].messages[1].content, "u");
  EXPECT_EQ(rows[0].gold, "7");
  EXPECT_EQ(rows[0].index, 41);
  EXPECT_EQ(rows[0].data_source, "x");
  EXPECT_EQ(rows[0].extra_info, "{\"index\":41}");
}

TEST(PromptSource, ColumnsMayBeNamed) {
  DataConfig config;
  config.prompt_key = "task";
  config.label_key = "target";
  const std::vector<Prompt> rows = read_prompts(
      file_of("{\"task\":\"t\",\"prompt\":\"p\",\"target\":\"g\",\"answer\":\"a\"}\n"), config);
  EXPECT_EQ(rows.at(0).text, "t");
  EXPECT_EQ(rows.at(0).gold, "g");
}

TEST(PromptSource, ANamedColumnThatIsNotThereIsTold) {
  DataConfig config;
  config.prompt_key = "tusk";
  config.label_key = "anwser";
  ::testing::internal::CaptureStderr();
  read_prompts(file_of("{\"problem\":\"1 + 1?\",\"answer\":\"2\"}\n"), config);
  const std::string told = ::testing::internal::GetCapturedStderr();
  EXPECT_NE(told.find("no column \"tusk\" (data.prompt_key); \"problem\""), std::string::npos);
  EXPECT_NE(told.find("no column \"anwser\" (data.label_key); \"answer\""), std::string::npos);
}

TEST(PromptSource, ShortColumnsAreFields) {
  const std::string level = "\"subject\":\"Algebra\",\"level\":2,\"multiple\":false,";
  const std::vector<Prompt> rows = read_prompts(
      file_of("{\"id\":\"a\",\"problem\":\"p\",\"solution\":\"s\",\"answer\":\"2\"," + level +
              "\"note\":\"" + std::string(101, 'x') + "\",\"none\":null,\"empty\":\"\"}\n" +
              "{\"problem\":\"p\",\"answer\":\"2\",\"level\":3,\"extra_info\":{\"index\":7," +
              level + "\"list\":[1]}}\n"),
      {});
  using Fields = std::vector<std::pair<std::string, std::string>>;
  EXPECT_EQ(rows[0].fields,
            (Fields{{"subject", "Algebra"}, {"level", "2"}, {"multiple", "false"}}));
  EXPECT_EQ(rows[1].fields,
            (Fields{{"level", "3"}, {"subject", "Algebra"}, {"multiple", "false"}}));
}

TEST(PromptSource, MathRowsHaveTheirAnswerInTheSolution) {
  const std::vector<Prompt> rows =
      read_prompts(file_of("{\"problem\":\"p\",\"solution\":\"So \\\\boxed{1}, no, "
                           "$\\\\boxed{\\\\frac{1}{2}}$.\",\"level\":\"Level 2\"}\n"),
                   {});
  EXPECT_EQ(rows.at(0).gold, "\\frac{1}{2}");
  EXPECT_EQ(read_prompts(
                file_of("{\"problem\":\"p\",\"solution\":\"\\\\boxed{1}\",\"answer\":\"2\"}\n"), {})
                .at(0)
                .gold,
            "2");
  expect_mentions(
      error_of([] { read_prompts(file_of("{\"problem\":\"p\",\"solution\":\"1\"}\n"), {}); }),
      {"data.label_key", "\"solution\" with a box"});
}

// The columns of the hub's openai/gsm8k and Hothan/OlympiadBench.
TEST(PromptSource, GoldsAsTheBenchmarksHaveThem) {
  const std::vector<Prompt> rows = read_prompts(
      file_of("{\"question\":\"p\",\"answer\":\"9 * 2 = <<9*2=18>>18 every day.\\n#### 1,018 \"}\n"
              "{\"question\":\"p\",\"answer\":\"####\"}\n"
              "{\"question\":\"p\",\"final_answer\":[\"$3$\"],\"solution\":[\"long\"]}\n"
              "{\"question\":\"p\",\"final_answer\":\"a\",\"answer\":[4]}\n"),
      {});
  EXPECT_EQ(rows.at(0).gold, "1,018");
  EXPECT_EQ(rows.at(1).gold, "####");
  EXPECT_EQ(rows.at(2).gold, "$3$");
  EXPECT_EQ(rows.at(3).gold, "4");
}

// An id stands for one problem, whatever file it came from.
TEST(PromptSource, IdsOfSeveralFilesAreTheirOwn) {
  const std::string dir = testing::temporary_dir("prompts");
  write_file_atomically(dir + "/a.jsonl",
                        "{\"problem\":\"p\",\"answer\":1}\n{\"problem\":\"q\",\"answer\":1}\n");
  write_file_atomically(dir + "/b.jsonl",
                        "{\"problem\":\"p\",\"answer\":1}\n{\"problem\":\"r\",\"answer\":1}\n"
                        "{\"id\":\"1\",\"problem\":\"s\",\"answer\":1}\n");
  std::vector<std::string> ids;
  read_problems({dir + "/a.jsonl", dir + "/b.jsonl"}, {}, [&](Prompt&& prompt, const Json& object) {
    ids.push_back(prompt.id);
    EXPECT_EQ(object.at("problem"), prompt.text);
  });
  EXPECT_EQ(ids, (std::vector<std::string>{"0", "1", "0", "b:1", "b:1:2"}));
}

TEST(PromptSource, FilesOfOneNameInManyFoldersShareNoId) {
  const std::string dir = testing::temporary_dir("prompts");
  std::vector<std::string> paths;
  for (const char* folder : {"a", "b", "c", "d", "e"}) {
    std::filesystem::create_directories(concat(dir, "/", folder));
    paths.push_back(concat(dir, "/", folder, "/train.jsonl"));
    write_file_atomically(paths.back(), concat("{\"problem\":\"", folder, "\",\"answer\":1}\n"));
  }
  std::vector<std::string> ids;
  read_problems(paths, {}, [&](Prompt&& prompt, const Json&) { ids.push_back(prompt.id); });
  EXPECT_EQ(ids,
            (std::vector<std::string>{"0", "train:0", "train:0:0", "train:0:0:2", "train:0:0:3"}));
}

TEST(PromptSource, ErrorsNamePlaceColumnAndKeys) {
  expect_mentions(
      error_of([] { read_prompts(file_of("{\"text\":\"t\",\"answer\":\"1\"}\n"), {}); }),
      {"problems.jsonl:1", "data.prompt_key", "keys present: text, answer"});
  expect_mentions(error_of([] { read_prompts(file_of("{\"problem\":\"t\"}\n"), {}); }),
                  {"problems.jsonl:1", "data.label_key", "reward_model.ground_truth"});
  expect_mentions(error_of([] { read_prompts(file_of("{\"prompt\":5,\"answer\":\"1\"}\n"), {}); }),
                  {"\"prompt\"", "got number"});
  expect_mentions(error_of([] {
                    read_prompts(file_of("{\"prompt\":[{\"role\":\"user\"}],\"answer\":\"1\"}\n"),
                                 {});
                  }),
                  {"\"prompt\"", "{\"role\", \"content\"}", "got object"});
  expect_mentions(
      error_of([] { read_prompts(file_of("{\"prompt\":\"p\",\"answer\":[1,2]}\n"), {}); }),
      {"\"answer\"", "got array"});
  expect_mentions(error_of([] { read_prompts(file_of("\n"), {}); }), {"holds no rows"});
  expect_mentions(error_of([] { read_prompts("prompts.csv", {}); }), {".csv", ".jsonl, .parquet"});
}

TEST(PromptSource, LimitKeepsTheFirstRows) {
  const std::string path =
      file_of("{\"problem\":\"a\",\"answer\":\"1\"}\n{\"problem\":\"b\",\"answer\":\"2\"}\n");
  EXPECT_EQ(read_prompts(path, {}, 1).size(), 1u);
  EXPECT_EQ(read_prompts(path, {}, 5).size(), 2u);
}

TEST(PromptSource, ReferenceFilesLoad) {
  const std::vector<std::pair<std::string, size_t>> files = {
      {"oneshot/pi1_r128.parquet", 128},
      {"oneshot/pi2_r128.parquet", 128},
      {"oneshot/pi13_r128.parquet", 128},
      {"oneshot/pi1209_r128.parquet", 128},
      {"oneshot/merge_pi1_pi13_r128.parquet", 128},
      {"oneshot/merge_pi1_pi2_pi13_pi1209_r128.parquet", 128},
      {"oneshot/dsr_sub.parquet", 1209},
      {"oneshot/dsr_sub.jsonl", 1209},
      {"oneshot/math500_verl.parquet", 500},
      {"benchmarks/math500.jsonl", 500},
      {"benchmarks/aime24.jsonl", 30},
      {"benchmarks/aime25.jsonl", 30},
      {"benchmarks/amc23.jsonl", 40},
      {"benchmarks/minerva_math.jsonl", 272},
      {"benchmarks/olympiadbench.jsonl", 675},
      {"benchmarks/gsm8k_test.jsonl", 1319}};
  int num_found = 0;
  for (const auto& [name, num_rows] : files) {
    const std::string path = testing::reference_path("data/" + name);
    if (path.empty()) continue;
    ++num_found;
    const std::vector<Prompt> rows = read_prompts(path, {});
    EXPECT_EQ(rows.size(), num_rows) << name;
    for (const Prompt& row : rows) EXPECT_TRUE(!row.text.empty() || !row.messages.empty()) << name;
  }
  EXPECT_GE(num_found, 2);
}

TEST(PromptSource, ParquetAndJsonlOfOneSetAgree) {
  const std::string parquet = testing::reference_path("data/oneshot/dsr_sub.parquet");
  const std::string jsonl = testing::reference_path("data/oneshot/dsr_sub.jsonl");
  COVRL_REQUIRE_REFERENCE(parquet);
  COVRL_REQUIRE_REFERENCE(jsonl);
  const std::vector<Prompt> a = read_prompts(parquet, {}), b = read_prompts(jsonl, {});
  ASSERT_EQ(a.size(), b.size());
  for (size_t i = 0; i < a.size(); ++i) {
    EXPECT_EQ(a[i].messages.at(0).content, b[i].text);
    EXPECT_EQ(a[i].gold, b[i].gold);
    EXPECT_EQ(a[i].index, b[i].index);
  }
}

// Rendering and encoding, with the tokenizer and template of a reference checkpoint.
class PreparedPrompts : public ::testing::Test {
 protected:
  void SetUp() override {
    const std::string dir = testing::reference_path("fixtures/models/q2-tied-fp32");
    COVRL_REQUIRE_REFERENCE(dir);
    pretrained_ = load_pretrained_without_weights(dir);
  }
  std::string text_of(const Prompt& prompt) const {
    return pretrained_.tokenizer->decode(prompt.tokens, /*skip_special_tokens=*/false);
  }
  static Prompt question(const std::string& text, const std::string& gold = "1") {
    Prompt prompt;
    prompt.text = text;
    prompt.gold = gold;
    return prompt;
  }

  Pretrained pretrained_;
};

TEST_F(PreparedPrompts, OneShotBatchIsSummarised) {
  const std::string one = testing::reference_path("data/oneshot/pi1_r128.parquet");
  const std::string four =
      testing::reference_path("data/oneshot/merge_pi1_pi2_pi13_pi1209_r128.parquet");
  COVRL_REQUIRE_REFERENCE(one);
  COVRL_REQUIRE_REFERENCE(four);
  const PromptSet set = prepare_prompts(read_prompts(one, {}), {}, pretrained_);
  EXPECT_EQ(set.summary(), "1 distinct prompt x 128");
  EXPECT_EQ(set.prompts.size(), 128u);
  EXPECT_EQ(prepare_prompts(read_prompts(four, {}), {}, pretrained_).summary(),
            "4 distinct prompts x 32");
  DataConfig repeated;
  repeated.repeat = 128;
  const PromptSet again = prepare_prompts(read_prompts(one, {}, 1), repeated, pretrained_);
  EXPECT_EQ(again.summary(), "1 distinct prompt x 128");
  EXPECT_EQ(again.prompts[127].tokens, set.prompts[0].tokens);
}

TEST_F(PreparedPrompts, TemplateOrPlainText) {
  DataConfig config;
  config.prompt_suffix = " Think.";
  const PromptSet chat = prepare_prompts({question("What is 1+1?")}, config, pretrained_);
  EXPECT_NE(text_of(chat.prompts[0]).find("user\nWhat is 1+1? Think."), std::string::npos)
      << text_of(chat.prompts[0]);
  EXPECT_GT(text_of(chat.prompts[0]).rfind("assistant"), text_of(chat.prompts[0]).find("Think."));
  Prompt conversation;
  conversation.messages = {{"user", "What is 1+1?"}};
  EXPECT_EQ(prepare_prompts({conversation}, config, pretrained_).prompts[0].tokens,
            chat.prompts[0].tokens);
  config.use_chat_template = false;
  EXPECT_EQ(text_of(prepare_prompts({question("What is 1+1?")}, config, pretrained_).prompts[0]),
            "What is 1+1? Think.");
}

TEST_F(PreparedPrompts, OverLongPromptsAreDroppedAndCounted) {
  DataConfig config;
  config.use_chat_template = false;
  config.max_prompt_length = 8;
  const std::string longer(100, 'x');
  const PromptSet set = prepare_prompts(
      {question("a"), question(longer), question("a", "2"), question("a")}, config, pretrained_);
  EXPECT_EQ(set.prompts.size(), 3u);
  EXPECT_EQ(set.num_dropped, 1);
  EXPECT_EQ(set.num_distinct, 2);
  EXPECT_EQ(set.summary(), "4 rows, 2 distinct, 1 dropped (longer than 8 tokens)");
  expect_mentions(error_of([&] { prepare_prompts({question(longer)}, config, pretrained_); }),
                  {"data.max_prompt_length", "longer than 8 tokens"});
}

TEST_F(PreparedPrompts, FaultsSayTheRemedy) {
  Prompt conversation;
  conversation.messages = {{"user", "a"}, {"assistant", "b"}, {"user", "c"}};
  DataConfig config;
  config.use_chat_template = false;
  expect_mentions(error_of([&] { prepare_prompts({conversation}, config, pretrained_); }),
                  {"data.use_chat_template"});
  Pretrained without = pretrained_;
  without.chat = nullptr;
  expect_mentions(error_of([&] { prepare_prompts({question("a")}, {}, without); }),
                  {"no chat template", "model.chat_template", "data.use_chat_template=false"});
}

}  // namespace
}  // namespace covrl
