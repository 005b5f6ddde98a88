#include <gtest/gtest.h>

#include "rl/trainer.h"
#include "tests/support/paths.h"

namespace covrl {
namespace {

std::vector<std::string> set_names(const std::vector<std::string>& overrides) {
  std::vector<std::string> words = {
      "model.path=" + testing::source_path("data/tiny/model"),
      "data.train_files=[" + testing::source_path("data/tiny/one_shot.jsonl") + "]"};
  words.insert(words.end(), overrides.begin(), overrides.end());
  RunConfig config;
  config::load({{}, words}, [&](config::Visitor& v) { config.describe(v); });
  const RunInputs inputs = load_run_inputs(config, Weights::kSkip);
  std::vector<std::string> names;
  for (const EvalSet& set : inputs.eval_sets) names.push_back(set.name);
  return names;
}

TEST(RunInputs, TheTrainingProblemsAreASetWhereItsRulesAskAnything) {
  const std::string file = testing::source_path("data/tiny/test.jsonl");
  EXPECT_EQ(set_names({"eval.files=[" + file + "]"}), (std::vector<std::string>{"test", "train"}));
  EXPECT_EQ(
      set_names({"eval.files=[" + file + ":greedy=true]", "eval.samples=0", "eval.greedy=false"}),
      std::vector<std::string>{"test"});
}

}  // namespace
}  // namespace covrl
