#include "rl/evaluation/eval_rules.h"

#include <gtest/gtest.h>

#include "core/error.h"

namespace covrl {
namespace {

EvalRules greedy_rules() {
  EvalRules rules;
  rules.samples = 0;
  rules.max_new_tokens = 3072;
  return rules;
}

std::string error_of(const std::vector<std::string>& files, const EvalRules& base = {}) {
  try {
    parse_eval_files(files, base);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUsage);
    return error.what();
  }
  return "no error";
}

TEST(EvalRules, AFileAloneHasTheRulesOfAll) {
  const EvalFile file = parse_eval_file("data/math500.jsonl", greedy_rules());
  EXPECT_EQ(file.path, "data/math500.jsonl");
  EXPECT_EQ(file.name, "math500");
  EXPECT_EQ(file.rules.samples, 0);
  EXPECT_TRUE(file.rules.greedy);
  EXPECT_EQ(file.rules.max_new_tokens, 3072);
}

TEST(EvalRules, ASetMayHaveItsOwn) {
  const EvalFile file = parse_eval_file(
      "a:b/arc.parquet:samples=8:temperature=0.6:verifier=choice:prompt_style=boxed",
      greedy_rules());
  EXPECT_EQ(file.path, "a:b/arc.parquet");
  EXPECT_EQ(file.name, "arc");
  EXPECT_EQ(file.rules.samples, 8);
  EXPECT_FALSE(file.rules.greedy);  // samples stand in its place
  EXPECT_EQ(file.rules.temperature, 0.6);
  EXPECT_EQ(file.rules.verifier, "choice");
  EXPECT_EQ(file.rules.prompt_style, "boxed");
  EXPECT_EQ(file.rules.max_new_tokens, 3072);
}

TEST(EvalRules, SamplesAndGreedyTakeTurnsUnlessBothAreGiven) {
  const EvalRules sampled = [] {
    EvalRules rules;
    rules.greedy = false;
    return rules;
  }();
  const EvalRules greedy = parse_eval_file("a.jsonl:greedy=true", sampled).rules;
  EXPECT_TRUE(greedy.greedy);
  EXPECT_EQ(greedy.samples, 0);
  const EvalRules both = parse_eval_file("a.jsonl:greedy=true:samples=2", sampled).rules;
  EXPECT_TRUE(both.greedy);
  EXPECT_EQ(both.samples, 2);
}

TEST(EvalRules, ATemperatureWithoutSamplesIsRefused) {
  for (const char* key : {"temperature", "top_p"}) {
    const std::string error = error_of({concat("a.jsonl:", key, "=0.6")}, greedy_rules());
    EXPECT_NE(error.find(concat(key, " has no effect")), std::string::npos) << error;
    EXPECT_NE(error.find("samples=N"), std::string::npos) << error;
  }
  EXPECT_NE(error_of({"a.jsonl:greedy=true:temperature=0.6"}).find("has no effect"),
            std::string::npos);
  EXPECT_EQ(error_of({"a.jsonl:temperature=0.6"}), "no error");  // of the samples of all
}

TEST(EvalRules, SamplesNeedATemperatureWhereNoneIsSet) {
  EvalRules base = greedy_rules();
  base.temperature = 0;
  const std::string error = error_of({"a.jsonl:samples=2"}, base);
  EXPECT_NE(error.find("2 samples at temperature 0"), std::string::npos) << error;
  EXPECT_NE(error.find("temperature=T"), std::string::npos) << error;
  EXPECT_EQ(error_of({"a.jsonl:samples=2:temperature=0.5", "b.jsonl"}, base), "no error");
}

TEST(EvalRules, FaultsNameTheFileAndTheRemedy) {
  EXPECT_NE(error_of({"a.jsonl:sampels=8"}).find("did you mean 'samples'?"), std::string::npos);
  EXPECT_NE(error_of({"a.jsonl:sampels=8"}).find("a.jsonl"), std::string::npos);
  EXPECT_NE(error_of({"a.jsonl:prompt_style=chatt"}).find("did you mean 'chat'?"),
            std::string::npos);
  EXPECT_NE(error_of({"a.jsonl:temperature=-1"}).find("[0.001, 100]"), std::string::npos);
  EXPECT_NE(error_of({"a.jsonl:samples=0"}).find("nothing would be evaluated"), std::string::npos);
  EXPECT_NE(error_of({"a.jsonl:shots=2"}).find("without few_shot"), std::string::npos);
  EXPECT_NE(error_of({"a.jsonl:samples"}).find("'samples' is no rule"), std::string::npos);
  EXPECT_NE(error_of({"a.jsonl:samples=2:samples=3"}).find("samples is given twice"),
            std::string::npos);
  EvalRules shots;
  shots.shots = 2;  // of all sets: no word to point at
  EXPECT_TRUE(error_of({"a.jsonl"}, shots).starts_with("a.jsonl: shots: has no effect"));
  EXPECT_NE(error_of({"x/a.jsonl", "y/a.jsonl:samples=8"}).find("a set named 'a'"),
            std::string::npos);
}

}  // namespace
}  // namespace covrl
