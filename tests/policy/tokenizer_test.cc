#include "policy/tokenizer.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <random>

#include "core/error.h"
#include "core/jsonl.h"
#include "policy/unicode.h"
#include "tests/support/paths.h"

namespace covrl {
namespace {

using testing::reference_path;
using Ids = std::vector<int64_t>;

struct GoldenCount {
  int rows = 0, soft_mismatches = 0;
};

void check_encode_row(const Tokenizer& tokenizer, const Json& row, GoldenCount& count) {
  const auto text = row["text"].get<std::string>();
  const Json ids = row["ids"], ids_no_add = row.value("ids_no_add", ids);
  const Json ids_no_special_parse = row.value("ids_no_special_parse", ids_no_add);
  const auto decoded = row["decoded"].get<std::string>();
  const std::string decoded_skip = row.value("decoded_skip_special", decoded);
  ++count.rows;
  if (row.value("soft", false)) {
    count.soft_mismatches += tokenizer.encode(text) != ids.get<Ids>();
    return;
  }
  EXPECT_EQ(tokenizer.encode(text), ids.get<Ids>()) << row["id"];
  EXPECT_EQ(tokenizer.encode(text, {false, true}), ids_no_add.get<Ids>()) << row["id"];
  EXPECT_EQ(tokenizer.encode(text, {false, false}), ids_no_special_parse.get<Ids>()) << row["id"];
  EXPECT_EQ(tokenizer.decode(ids.get<Ids>(), false), decoded) << row["id"];
  EXPECT_EQ(tokenizer.decode(ids.get<Ids>(), true), decoded_skip) << row["id"];
}

class TokenizerGolden : public ::testing::TestWithParam<const char*> {
 protected:
  std::string dir = reference_path(std::string("fixtures/tokenizers/") + GetParam());
  std::string golden(const char* kind) {
    return reference_path(concat("fixtures/golden/tokenizer/", GetParam(), ".", kind, ".jsonl"));
  }
};

TEST_P(TokenizerGolden, EncodesAsTheLibrary) {
  COVRL_REQUIRE_REFERENCE(dir);
  const Tokenizer tokenizer = Tokenizer::from_dir(dir);
  GoldenCount count;
  read_jsonl(golden("encode"),
             [&](int64_t, const Json& row) { check_encode_row(tokenizer, row, count); });
  RecordProperty("rows", count.rows);
  RecordProperty("soft_mismatches", count.soft_mismatches);
  EXPECT_GT(count.rows, 100);
}

TEST_P(TokenizerGolden, DecodesAsTheLibrary) {
  COVRL_REQUIRE_REFERENCE(dir);
  const Tokenizer tokenizer = Tokenizer::from_dir(dir);
  int rows = 0;
  read_jsonl(golden("decode"), [&](int64_t, const Json& row) {
    ++rows;
    const auto ids = row["ids"].get<Ids>();
    EXPECT_EQ(tokenizer.decode(ids, false), row["decoded"].get<std::string>()) << row["id"];
    EXPECT_EQ(tokenizer.decode(ids, true),
              row.value("decoded_skip_special", row["decoded"].get<std::string>()))
        << row["id"];
  });
  RecordProperty("rows", rows);
  EXPECT_GE(rows, 60);
}

INSTANTIATE_TEST_SUITE_P(Fixtures, TokenizerGolden,
                         ::testing::Values("math512", "math2048", "qwen2.5"), [](const auto& info) {
                           std::string name = info.param;
                           std::erase(name, '.');
                           return name;
                         });

// A tokenizer made by editing that of math512.
class EditedTokenizer : public ::testing::Test {
 protected:
  void SetUp() override {
    const std::string dir = reference_path("fixtures/tokenizers/math512");
    COVRL_REQUIRE_REFERENCE(dir);
    json = Json::parse(read_file(dir + "/tokenizer.json"));
  }
  Tokenizer load() const {
    const std::string path = testing::temporary_dir("tokenizer") + "/tokenizer.json";
    std::ofstream(path) << json.dump();
    return Tokenizer::from_file(path);
  }
  std::string error() const {
    try {
      load();
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kUsage);
      return error.what();
    }
    return "";
  }
  void expect_error(const std::vector<std::string>& mentioned) const {
    const std::string message = error();
    for (const std::string& word : mentioned) {
      EXPECT_NE(message.find(word), std::string::npos) << word << " is not in: " << message;
    }
  }
  Json json;
};

Json added_token(int64_t id, const std::string& content, const std::vector<std::string>& flags) {
  Json token{{"id", id}, {"content", content}};
  for (const char* flag : {"single_word", "lstrip", "rstrip", "normalized", "special"}) {
    token[flag] = std::find(flags.begin(), flags.end(), flag) != flags.end();
  }
  return token;
}

// Expected ids are those of tokenizers 0.23.3.
TEST_F(EditedTokenizer, Llama3Pipeline) {
  std::string regex = json["pre_tokenizer"]["pretokenizers"][0]["pattern"]["Regex"];
  regex.replace(regex.find("\\p{N}| "), 7, "\\p{N}{1,3}| ");
  json["pre_tokenizer"]["pretokenizers"][0]["pattern"]["Regex"] = regex;
  json["normalizer"] = nullptr;
  json["model"]["ignore_merges"] = true;
  json["model"]["vocab"]["123"] = 509;
  json["model"]["vocab"]["\u0120box"] = 510;
  json["added_tokens"] = Json::array({added_token(511, "<|begin|>", {"special"})});
  json["post_processor"] = Json::parse(R"({"type": "Sequence", "processors": [{"type": "ByteLevel"},
    {"type": "TemplateProcessing", "pair": [],
     "single": [{"SpecialToken": {"id": "<|begin|>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
     "special_tokens": {"<|begin|>": {"id": "<|begin|>", "ids": [511], "tokens": ["<|begin|>"]}}}]})");
  const Tokenizer tokenizer = load();
  EXPECT_EQ(tokenizer.encode(""), (Ids{511}));
  EXPECT_EQ(tokenizer.encode("1234 123"), (Ids{511, 509, 19, 220, 509}));
  EXPECT_EQ(tokenizer.encode("a box<|begin|> e\u0301"), (Ids{511, 64, 510, 511, 339, 136, 223}));
  EXPECT_EQ(tokenizer.encode("1234 123", {.add_special_tokens = false}), (Ids{509, 19, 220, 509}));
  EXPECT_EQ(tokenizer.decode({511, 64, 510}, true), "a box");
  EXPECT_EQ(tokenizer.vocab_size(), 512);
  EXPECT_TRUE(tokenizer.is_special(511));
  EXPECT_FALSE(tokenizer.is_special(510));
  EXPECT_EQ(tokenizer.token_to_id("<|begin|>"), 511);
  EXPECT_EQ(tokenizer.token_to_id("<|absent|>"), -1);
}

TEST_F(EditedTokenizer, FlagsOfAddedTokens) {
  json["added_tokens"] = Json::array({added_token(509, "<a>", {"lstrip", "rstrip", "special"}),
                                      added_token(510, "<a>x", {}),
                                      added_token(511, "dog", {"single_word", "special"}),
                                      added_token(512, "e\u0301y", {"normalized"})});
  const Tokenizer tokenizer = load();
  EXPECT_EQ(tokenizer.encode("u <a> v"), (Ids{84, 509, 85}));
  EXPECT_EQ(tokenizer.encode("u <a>x v"), (Ids{84, 220, 510, 414}));
  EXPECT_EQ(tokenizer.encode(" <a> <a>x"), (Ids{509, 510}));
  EXPECT_EQ(tokenizer.encode("dog dogs dog."), (Ids{511, 318, 78, 70, 82, 220, 511, 13}));
  EXPECT_EQ(tokenizer.encode("\u00e9y e\u0301y"), (Ids{512, 220, 512}));
  const EncodeOptions no_parse{.add_special_tokens = true, .parse_special_tokens = false};
  EXPECT_EQ(tokenizer.encode("u <a> v", no_parse), (Ids{84, 220, 27, 64, 29, 414}));
  EXPECT_EQ(tokenizer.encode(" <a> <a>x", no_parse), (Ids{220, 27, 64, 29, 220, 510}));
}

TEST_F(EditedTokenizer, BrokenInputBecomesReplacementCharacters) {
  const Tokenizer tokenizer = load();
  EXPECT_EQ(tokenizer.encode("a\xff b\xe4\xb8"), tokenizer.encode("a\ufffd b\ufffd"));
}

TEST_F(EditedTokenizer, RandomBytesRoundTrip) {
  const Tokenizer tokenizer = load();
  std::mt19937 random(1);
  for (int round = 0; round < 300; ++round) {
    const bool ascii = round % 2 == 0;
    std::string text(random() % 200, '\0');
    for (char& byte : text) byte = static_cast<char>(random() % (ascii ? 128 : 256));
    const std::string decoded = tokenizer.decode(tokenizer.encode(text, {true, false}), false);
    EXPECT_EQ(decoded, ascii ? text : normalize_nfc(replace_broken_utf8(text)));
  }
}

TEST_F(EditedTokenizer, WordOfOneMegabyte) {
  const Tokenizer tokenizer = load();
  const std::string word(1 << 20, 'a'), line_ends(1 << 20, '\n');
  EXPECT_EQ(tokenizer.decode(tokenizer.encode(word), false), word);
  EXPECT_EQ(tokenizer.decode(tokenizer.encode(line_ends), false), line_ends);
}

TEST_F(EditedTokenizer, ErrorsNameWhatIsWrong) {
  const Json original = json;
  const auto expect = [&](const std::function<void(Json&)>& edit,
                          const std::vector<std::string>& mentioned) {
    json = original;
    edit(json);
    expect_error(mentioned);
  };
  expect([](Json& j) { j["model"]["merges"][3] = "a zzz"; },
         {"merge 4", "\"zzz\" is not in the vocab"});
  expect([](Json& j) { j["model"]["merges"][0] = "a b c"; }, {"merge 1", "a b c"});
  expect([](Json& j) { j["model"]["merges"][0] = 3; }, {"merge 1"});
  expect([](Json& j) { j["model"]["vocab"]["twin"] = 5; }, {"5", "\"&\"", "\"twin\""});
  expect([](Json& j) { j["model"]["vocab"]["far"] = 1 << 30; }, {"far", "ids are"});
  expect([](Json& j) { j["model"]["vocab"]["text"] = "x"; }, {"text", "integers"});
  expect([](Json& j) { j["model"]["byte_fallback"] = true; }, {"byte_fallback"});
  expect([](Json& j) { j["model"]["type"] = "Unigram"; }, {"Unigram", "BPE"});
  expect([](Json& j) { j["model"]["dropout"] = 0.5; }, {"dropout", "0.5"});
  expect([](Json& j) { j["normalizer"]["type"] = "NFKC"; }, {"normalizer", "NFKC", "NFC"});
  expect([](Json& j) { j["pre_tokenizer"]["pretokenizers"][0]["pattern"]["Regex"] = "\\w+"; },
         {"\\w+", "supported are", "Qwen2", "Llama-3"});
  expect([](Json& j) { j["pre_tokenizer"]["type"] = "Metaspace"; }, {"Metaspace", "ByteLevel"});
  expect([](Json& j) { j["pre_tokenizer"] = nullptr; }, {"pre_tokenizer"});
  expect([](Json& j) { j["post_processor"]["type"] = "BertProcessing"; },
         {"BertProcessing", "TemplateProcessing"});
  expect([](Json& j) { j["decoder"] = nullptr; }, {"decoder", "ByteLevel"});
  expect([](Json& j) { j["added_tokens"][0]["id"] = 600; }, {"<|endoftext|>", "600", "509"});
  expect([](Json& j) { j["added_tokens"][0].erase("content"); }, {"added_tokens[0]", "content"});
  expect([](Json& j) { j = Json::array(); }, {"object"});
}

TEST(TokenizerErrors, MergeWithUnknownPart) {
  const std::string dir = reference_path("fixtures/malformed/tok_merge_unknown_part");
  COVRL_REQUIRE_REFERENCE(dir);
  try {
    Tokenizer::from_dir(dir);
    FAIL() << "accepted";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("zzz"), std::string::npos) << error.what();
    EXPECT_NE(std::string(error.what()).find("merge"), std::string::npos) << error.what();
  }
}

TEST(TokenizerErrors, NotJson) {
  const std::string dir = testing::temporary_dir("tokenizer");
  std::ofstream(dir + "/tokenizer.json") << "{\"model\": {";
  try {
    Tokenizer::from_dir(dir);
    FAIL() << "accepted";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("tokenizer.json"), std::string::npos) << error.what();
  }
}

TEST(TokenizerConfig, TextsOfBosAndEos) {
  const std::string source = reference_path("fixtures/tokenizers/math512/tokenizer.json");
  COVRL_REQUIRE_REFERENCE(source);
  const std::string dir = testing::temporary_dir("tokenizer");
  std::filesystem::copy_file(source, dir + "/tokenizer.json");
  EXPECT_EQ(Tokenizer::from_dir(dir).eos_token(), "");
  std::ofstream(dir + "/tokenizer_config.json")
      << R"({"bos_token": {"content": "<s>"}, "eos_token": "</s>"})";
  EXPECT_EQ(Tokenizer::from_dir(dir).bos_token(), "<s>");
  EXPECT_EQ(Tokenizer::from_dir(dir).eos_token(), "</s>");
}

}  // namespace
}  // namespace covrl
