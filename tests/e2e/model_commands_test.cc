// generate, score, tokenize and probe as their users run them, on a public checkpoint.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <fstream>

#include "core/jsonl.h"
#include "tests/support/paths.h"
#include "tests/support/run_program.h"

namespace covrl::testing {
namespace {

class ModelCommands : public ::testing::Test {
 protected:
  std::string model_ = reference_path("fixtures/models/q2-tied-fp32");
  std::string dir_ = temporary_dir("commands");

  std::string write(const std::string& name, const std::string& text) {
    std::ofstream(dir_ + "/" + name) << text;
    return dir_ + "/" + name;
  }

  std::vector<Json> rows(const std::string& path) {
    std::vector<Json> result;
    read_jsonl(path, [&](int64_t, const Json& row) { result.push_back(row); });
    return result;
  }

  // Runs `command` on the rows of `input`; returns what it wrote.
  std::vector<Json> run(const std::string& command, const std::string& input,
                        std::vector<std::string> more = {}) {
    const std::string output = dir_ + "/" + command + ".out.jsonl";
    std::vector<std::string> words = {
        command,    "--model", model_, "--input", write(command + ".jsonl", input),
        "--output", output};
    words.insert(words.end(), more.begin(), more.end());
    const ProgramResult result = run_covrl(words);
    EXPECT_EQ(result.status, 0) << result.err;
    EXPECT_EQ(result.out, "");
    return rows(output);
  }

  void expect_refused(const std::string& command, const std::string& input,
                      const std::vector<std::string>& mentions) {
    const std::string file = write("refused.jsonl", input);
    const ProgramResult result = run_covrl({command, "--model", model_, "--input", file});
    EXPECT_EQ(result.status, 2) << input;
    for (const std::string& word : mentions)
      EXPECT_NE(result.err.find(word), std::string::npos)
          << "no '" << word << "' in: " << result.err;
  }
};

constexpr const char* kPrompts =
    "{\"id\":\"a\",\"prompt\":\"Find x + 1 = 2\",\"tag\":7}\n"
    "{\"id\":2,\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}\n"
    "{\"id\":\"c\",\"ids\":[50,413,257]}\n";

TEST_F(ModelCommands, GenerateAnswersEachSampleInOrder) {
  COVRL_REQUIRE_REFERENCE(model_);
  const std::vector<std::string> options = {"--samples",     "3",   "--max-new-tokens", "9",
                                            "--temperature", "0.8", "--seed",           "4"};
  std::vector<std::string> narrow = options, wide = options;
  narrow.insert(narrow.end(), {"--max-batch", "1"});
  wide.insert(wide.end(), {"--max-batch", "64"});
  const std::vector<Json> answers = run("generate", kPrompts, narrow);
  EXPECT_EQ(answers, run("generate", kPrompts, wide));
  ASSERT_EQ(answers.size(), 9U);
  for (size_t i = 0; i < answers.size(); ++i) {
    const std::vector<Json> ids = {"a", 2, "c"};
    EXPECT_EQ(answers[i]["id"], ids[i / 3]);
    EXPECT_EQ(answers[i]["sample"], i % 3);
    EXPECT_EQ(answers[i]["ids"].size(), answers[i]["logprobs"].size());
    EXPECT_EQ(answers[i].contains("tag"), i < 3);
    EXPECT_FALSE(answers[i].contains("prompt") || answers[i].contains("messages"));
  }
  EXPECT_NE(answers[0]["ids"], answers[1]["ids"]);
}

TEST_F(ModelCommands, ScoringWhatWasGeneratedGivesTheSameLogProbabilities) {
  COVRL_REQUIRE_REFERENCE(model_);
  const std::vector<int64_t> prompt = {50, 413, 257, 65, 258};
  const Json request = {{"id", 1}, {"ids", prompt}};
  const Json sampled =
      run("generate", request.dump(), {"--max-new-tokens", "40", "--temperature", "0.6"}).at(0);
  std::vector<int64_t> whole = prompt;
  for (const Json& id : sampled["ids"]) whole.push_back(id.get<int64_t>());
  const Json scored =
      run("score", Json{{"id", 1}, {"ids", whole}}.dump(), {"--temperature", "0.6"}).at(0);
  ASSERT_EQ(scored["logprobs"].size(), whole.size() - 1);
  ASSERT_EQ(scored["entropy"].size(), whole.size());
  for (size_t i = 0; i < sampled["logprobs"].size(); ++i)
    EXPECT_EQ(sampled["logprobs"][i], scored["logprobs"][prompt.size() - 1 + i]) << i;
}

TEST_F(ModelCommands, ScoreJoinsPromptAndCompletion) {
  COVRL_REQUIRE_REFERENCE(model_);
  const Json scored =
      run("score", R"({"id":"x","prompt":"Find x","completion":" + 1","note":[1]})").at(0);
  EXPECT_EQ(scored["note"], (Json{1}));
  EXPECT_EQ(scored["ids"].size(), scored["entropy"].size());
  EXPECT_LT(scored["num_prompt_tokens"], scored["ids"].size());
  const Json again = run("score", Json{{"id", "x"}, {"ids", scored["ids"]}}.dump()).at(0);
  EXPECT_EQ(again["logprobs"], scored["logprobs"]);
}

TEST_F(ModelCommands, TokenizeIsUndoneByDecode) {
  COVRL_REQUIRE_REFERENCE(model_);
  const Json encoded = run("tokenize", R"({"text":"Solve x = 5.<|im_end|>","n":1})").at(0);
  EXPECT_EQ(encoded["n"], 1);
  EXPECT_EQ(run("tokenize", encoded.dump(), {"--decode"}).at(0)["text"], "Solve x = 5.<|im_end|>");
  EXPECT_EQ(run("tokenize", encoded.dump(), {"--decode", "--no-special"}).at(0)["text"],
            "Solve x = 5.");
}

TEST_F(ModelCommands, RowsThatCannotBeAnsweredAreNamed) {
  COVRL_REQUIRE_REFERENCE(model_);
  expect_refused("score", "{\"id\":1,\"ids\":[3]}\n{\"ids\":[3]}", {"refused.jsonl:2", "\"id\""});
  expect_refused("score", R"({"id":1,"ids":[3,512]})", {"refused.jsonl:1", "512", "511"});
  expect_refused("score", R"({"id":1,"ids":[]})", {"refused.jsonl:1"});
  expect_refused("generate", R"({"id":1})", {"refused.jsonl:1", "prompt"});
  expect_refused("generate", R"({"id":1,"prompt":5})", {"refused.jsonl:1", "prompt"});
  expect_refused("probe", R"({"id":1,"op":"scores","ids":[3]})",
                 {"refused.jsonl:1", "scores", "score_batch"});
  expect_refused("tokenize", R"({"id":1})", {"refused.jsonl:1", "text"});
}

TEST_F(ModelCommands, MoreTokensThanPositionsAreTold) {
  const auto told = [&](size_t num_tokens) {
    const Json row = {{"id", 1}, {"ids", std::vector<int>(num_tokens, 50)}};
    const ProgramResult result = run_covrl({"score", "--model", source_path("data/tiny/model"),
                                            "--input", write("long.jsonl", row.dump())});
    EXPECT_EQ(result.status, 0) << result.err;
    return result.err.find("more tokens than the model has positions (512)") != std::string::npos;
  };
  EXPECT_FALSE(told(512));
  EXPECT_TRUE(told(513));
}

float float_at(const std::string& content, size_t offset) {
  float value = 0;
  std::memcpy(&value, content.data() + offset, sizeof value);
  return value;
}

// Five steps of torch.optim.AdamW; the tolerances are those of the reference's own float32 noise.
TEST_F(ModelCommands, ProbeFollowsTheReferenceOptimizer) {
  const std::string golden_path =
      reference_path("fixtures/golden/adamw/q2-tied-fp32--all-clip1.0.json");
  COVRL_REQUIRE_REFERENCE(golden_path);
  const Json golden = read_json(golden_path);
  const Json answer = run("probe", golden.dump()).at(0);
  for (size_t step = 0; step < golden["losses"].size(); ++step) {
    const double loss = golden["losses"][step].get<double>(),
                 norm = golden["grad_norms"][step].get<double>();
    EXPECT_NEAR(answer["losses"][step].get<double>(), loss, 2e-5 * loss);
    EXPECT_NEAR(answer["grad_norms"][step].get<double>(), norm, 1e-3 * norm);
  }
  EXPECT_NEAR(answer["final_loss"].get<double>(), golden["final_loss"].get<double>(),
              1e-4 * golden["final_loss"].get<double>());
  const std::string content = read_file(dir_ + "/" + answer["params_file"].get<std::string>());
  uint64_t length = 0;
  std::memcpy(&length, content.data(), sizeof length);
  const Json header = parse_json(content.substr(8, length), "header");
  for (const auto& [name, wanted] : golden["params"].items()) {
    const size_t begin = 8 + length + header.at(name)["data_offsets"][0].get<size_t>();
    for (const Json& entry : wanted["entries"])
      EXPECT_NEAR(float_at(content, begin + 4 * entry[0].get<size_t>()), entry[1].get<double>(),
                  6e-6)
          << name;
  }
}

}  // namespace
}  // namespace covrl::testing
