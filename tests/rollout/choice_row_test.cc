// Rows as ARC has them, with questions made up for this test.
#include "rollout/choice_row.h"

#include <arrow/api.h>
#include <arrow/io/file.h>
#include <gtest/gtest.h>
#include <parquet/arrow/writer.h>

#include "core/error.h"
#include "rollout/prompt_source.h"
#include "tests/support/paths.h"

namespace covrl {
namespace {

using Texts = std::vector<std::string>;

struct ChoiceRow {
  std::string id, question;
  Texts texts, labels;
  std::string key;
};

const std::vector<ChoiceRow> kRows = {
    {"made-up-1", "Which of these floats on water?", {"cork", "brick"}, {"A", "B"}, "A"},
    {"made-up-2", "How many legs has a spider?", {"6", "8", "10"}, {"1", "2", "3"}, "2"}};

std::string jsonl_of(const std::vector<ChoiceRow>& rows) {
  std::string lines;
  for (const ChoiceRow& row : rows)
    lines += Json{{"id", row.id},
                  {"question", row.question},
                  {"choices", {{"text", row.texts}, {"label", row.labels}}},
                  {"answerKey", row.key}}
                 .dump() +
             "\n";
  return lines;
}

std::shared_ptr<arrow::Array> strings(const Texts& values) {
  arrow::StringBuilder builder;
  EXPECT_TRUE(builder.AppendValues(values).ok());
  return *builder.Finish();
}

std::shared_ptr<arrow::Array> lists(const std::vector<Texts>& values) {
  arrow::ListBuilder builder(arrow::default_memory_pool(),
                             std::make_shared<arrow::StringBuilder>());
  auto& items = static_cast<arrow::StringBuilder&>(*builder.value_builder());
  for (const Texts& value : values)
    EXPECT_TRUE(builder.Append().ok() && items.AppendValues(value).ok());
  return *builder.Finish();
}

// The columns of the hub's file: choices is a struct of two lists.
void write_parquet(const std::string& path, const std::vector<ChoiceRow>& rows) {
  Texts ids, questions, keys;
  std::vector<Texts> texts, labels;
  for (const ChoiceRow& row : rows) {
    ids.push_back(row.id), questions.push_back(row.question), keys.push_back(row.key);
    texts.push_back(row.texts), labels.push_back(row.labels);
  }
  const std::shared_ptr<arrow::Array> choices =
      *arrow::StructArray::Make({lists(texts), lists(labels)}, Texts{"text", "label"});
  const auto schema = arrow::schema(
      {arrow::field("id", arrow::utf8()), arrow::field("question", arrow::utf8()),
       arrow::field("choices", choices->type()), arrow::field("answerKey", arrow::utf8())});
  const auto table =
      arrow::Table::Make(schema, {strings(ids), strings(questions), choices, strings(keys)});
  ASSERT_TRUE(parquet::arrow::WriteTable(*table, arrow::default_memory_pool(),
                                         *arrow::io::FileOutputStream::Open(path))
                  .ok());
}

class ChoiceRows : public ::testing::Test {
 protected:
  std::string dir_ = testing::temporary_dir("arc");

  std::vector<Prompt> read(const std::string& lines) {
    write_file_atomically(dir_ + "/arc.jsonl", lines);
    return read_prompts(dir_ + "/arc.jsonl", {});
  }

  std::string error_of(const std::string& lines) {
    try {
      read(lines);
    } catch (const Error& error) {
      return error.what();
    }
    return "no error";
  }
};

TEST_F(ChoiceRows, OptionsAreListedAndTheKeyIsGold) {
  const std::vector<Prompt> rows = read(jsonl_of(kRows));
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0].id, "made-up-1");
  EXPECT_EQ(rows[0].text, "Which of these floats on water?\nA. cork\nB. brick");
  EXPECT_EQ(rows[0].gold, "A");
  EXPECT_EQ(rows[1].text, "How many legs has a spider?\n1. 6\n2. 8\n3. 10");
  EXPECT_EQ(rows[1].gold, "2");
}

TEST_F(ChoiceRows, TheChoiceVerifierKnowsTheOptions) {
  const std::vector<Prompt> rows = read(jsonl_of(kRows));
  const std::unique_ptr<Verifier> verifier = make_verifier("choice");
  const auto outcome = [&](size_t row, const std::string& response) {
    return verifier->verify({response, rows[row].gold, rows[row].data_source, rows[row].extra_info})
        .outcome;
  };
  EXPECT_EQ(outcome(0, "So it is \\boxed{A}."), Outcome::kCorrect);
  EXPECT_EQ(outcome(0, "The answer is cork."), Outcome::kCorrect);
  EXPECT_EQ(outcome(0, "The answer is brick."), Outcome::kWrong);
  EXPECT_EQ(outcome(1, "\\boxed{8}"), Outcome::kCorrect);
  EXPECT_EQ(outcome(1, "\\boxed{3}"), Outcome::kWrong);
}

TEST_F(ChoiceRows, ParquetAndJsonlAgree) {
  write_parquet(dir_ + "/arc.parquet", kRows);
  const std::vector<Prompt> a = read_prompts(dir_ + "/arc.parquet", {}), b = read(jsonl_of(kRows));
  ASSERT_EQ(a.size(), b.size());
  for (size_t i = 0; i < a.size(); ++i) {
    EXPECT_EQ(a[i].text, b[i].text);
    EXPECT_EQ(a[i].gold, b[i].gold);
    EXPECT_EQ(a[i].id, b[i].id);
    EXPECT_EQ(a[i].extra_info, b[i].extra_info);
  }
}

TEST_F(ChoiceRows, AListOfOptionsMeansTheSame) {
  const std::vector<Prompt> rows = read(
      "{\"id\":\"made-up-1\",\"question\":\"Which of these floats on water?\",\"choices\":["
      "{\"text\":\"cork\",\"label\":\"A\"},{\"text\":\"brick\",\"label\":\"B\"}],\"answerKey\":"
      "\"A\"}\n");
  const std::vector<Prompt> wanted = read(jsonl_of({kRows[0]}));
  EXPECT_EQ(rows.at(0).text, wanted.at(0).text);
  EXPECT_EQ(rows.at(0).extra_info, wanted.at(0).extra_info);
}

TEST_F(ChoiceRows, FaultsNameTheRow) {
  ChoiceRow row = kRows[0];
  row.key = "C";
  EXPECT_NE(error_of(jsonl_of({row})).find("arc.jsonl:1: answerKey 'C' is none of the labels"),
            std::string::npos);
  row = kRows[0];
  row.labels.pop_back();
  EXPECT_NE(error_of(jsonl_of({row})).find("as many labels as texts"), std::string::npos);
  EXPECT_NE(error_of("{\"question\":\"?\",\"choices\":[\"cork\",\"brick\"],\"answerKey\":\"A\"}\n")
                .find("arc.jsonl:1: column \"choices\" must be"),
            std::string::npos);
}

}  // namespace
}  // namespace covrl
