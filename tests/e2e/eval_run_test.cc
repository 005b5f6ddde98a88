// How evaluation asks: rules of a set, prompt styles, examples, and every checkpoint of a run.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>

#include "core/error.h"
#include "core/jsonl.h"
#include "tests/e2e/tiny_run.h"

namespace covrl::testing {
namespace {

namespace fs = std::filesystem;
using Words = std::vector<std::string>;

void expect_mentions(const std::string& text, const Words& words) {
  for (const std::string& word : words)
    EXPECT_NE(text.find(word), std::string::npos) << "no '" << word << "' in:\n" << text;
}

std::vector<Json> rows_of(const std::string& path) {
  std::vector<Json> rows;
  read_jsonl(path, [&](int64_t, const Json& row) { rows.push_back(row); });
  return rows;
}

class EvalRun : public ::testing::Test {
 protected:
  std::string dir_ = temporary_dir("eval_run");
  std::string test_ = source_path("data/tiny/test.jsonl");
  std::string cross_ = source_path("data/tiny/cross_domain.jsonl");

  // Two questions made up for this test, in the form of ARC.
  std::string write_choices() {
    write_file_atomically(
        dir_ + "/choices.jsonl",
        "{\"id\":\"c1\",\"question\":\"Which floats?\",\"choices\":{\"text\":[\"cork\",\"brick\"],"
        "\"label\":[\"A\",\"B\"]},\"answerKey\":\"A\"}\n"
        "{\"id\":\"c2\",\"question\":\"Which is hot?\",\"choices\":{\"text\":[\"ice\",\"fire\"],"
        "\"label\":[\"1\",\"2\"]},\"answerKey\":\"2\"}\n");
    return dir_ + "/choices.jsonl";
  }

  static ProgramResult eval_model(Words more) {
    Words words = {"eval",    "--model", source_path("data/tiny/model"),
                   "--limit", "3",       "--max-new-tokens",
                   "16"};
    words.insert(words.end(), more.begin(), more.end());
    return run_covrl(words);
  }

  // The words of an evaluation of all checkpoints of `run`.
  Words eval_run_words(const std::string& run, Words more = {}) {
    Words words = {"eval",
                   "--run",
                   run,
                   "--benchmark",
                   test_,
                   "--benchmark",
                   cross_ + ":samples=2:temperature=0.8",
                   "--limit",
                   "3",
                   "--max-new-tokens",
                   "16"};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }

  // Name and content of every file below `folder`.
  static std::map<std::string, std::string> files_below(const std::string& folder) {
    std::map<std::string, std::string> files;
    for (const auto& entry : fs::recursive_directory_iterator(folder))
      if (entry.is_regular_file())
        files[fs::relative(entry.path(), folder).string()] = read_file(entry.path().string());
    return files;
  }
};

TEST_F(EvalRun, EachSetHasItsRules) {
  const std::string choices = write_choices(), out = dir_ + "/rows.jsonl";
  const ProgramResult result = eval_model(
      {"--benchmark", test_, "--benchmark", cross_ + ":samples=2:temperature=0.8", "--benchmark",
       choices + ":verifier=choice:prompt_style=plain:max_new_tokens=4", "--output", out});
  ASSERT_EQ(result.status, 0) << result.err;
  std::map<std::string, std::set<std::string>> decoding;
  std::map<std::string, int> count;
  for (const Json& row : rows_of(out)) {
    const auto set = row["benchmark"].get<std::string>();
    ++count[set];
    decoding[set].insert(row["decoding"].get<std::string>());
    if (set != "choices") continue;
    EXPECT_LE(row["num_tokens"].get<int64_t>(), 4);
    expect_mentions(row["prompt"].get<std::string>(),
                    {"Which ", row["gold"] == "A" ? "\nA. cork" : "\n2. fire"});
    EXPECT_NE(row["outcome"], "failed") << row;
  }
  EXPECT_EQ(count, (std::map<std::string, int>{{"test", 3}, {"cross_domain", 6}, {"choices", 2}}));
  EXPECT_EQ(decoding["test"], std::set<std::string>{"greedy"});
  EXPECT_EQ(decoding["cross_domain"], std::set<std::string>{"sampled"});
}

TEST_F(EvalRun, TrainingFollowsTheSameRules) {
  const std::string run = dir_ + "/run";
  const ProgramResult result = run_covrl(tiny_train_words(
      run, {"eval.files=[" + test_ + ":greedy=true, " + cross_ + ":samples=3:temperature=0.5, " +
                write_choices() + ":verifier=choice]",
            "trainer.total_steps=2"}));
  ASSERT_EQ(result.status, 0) << result.err;
  const auto metrics = read_metrics(run + "/metrics.jsonl");
  const Metrics& last = metrics.back().second;
  EXPECT_NE(last.find("val-core/test/acc/greedy"), nullptr);
  EXPECT_EQ(last.find("val-core/test/acc/mean@2"), nullptr);
  EXPECT_NE(last.find("val-core/cross_domain/acc/mean@3"), nullptr);
  EXPECT_EQ(last.find("val-core/cross_domain/acc/greedy"), nullptr);
  EXPECT_NE(last.find("val-core/choices/acc/mean@2"), nullptr);
  expect_mentions(result.err, {"Last step (2): test ", "Best step (", "; chosen on test"});
  expect_mentions(read_file(run + "/report.html"),
                  {"last step", "best step", "(step 2)", "Report the last step"});
}

TEST_F(EvalRun, ExamplesStandBeforeTheProblems) {
  const std::string out = dir_ + "/rows.jsonl", shots = dir_ + "/shots.jsonl";
  write_file_atomically(
      shots, "{\"problem\":\"1+1?\",\"answer\":\"2\",\"solution\":\"Two: \\\\boxed{2}\"}\n" +
                 rows_of(test_)[1].dump() + "\n");
  const ProgramResult result =
      eval_model({"--benchmark", test_, "--few-shot", shots, "--output", out});
  ASSERT_EQ(result.status, 0) << result.err;
  for (const Json& row : rows_of(out))
    expect_mentions(row["prompt"].get<std::string>(), {"1+1?", "Two: \\boxed{2}"});
  expect_mentions(result.err, {"warning: test: 1 of its problems (test-1) are examples of"});
  const ProgramResult one = eval_model({"--benchmark", test_, "--few-shot", shots, "--shots", "1"});
  EXPECT_EQ(one.status, 0) << one.err;
  EXPECT_EQ(one.err.find("warning"), std::string::npos) << one.err;
}

TEST_F(EvalRun, MistakesNameTheRemedy) {
  const auto expect_refused = [&](const Words& more, const Words& mentions) {
    const ProgramResult result = eval_model(more);
    EXPECT_EQ(result.status, 2) << result.err;
    expect_mentions(result.err, mentions);
  };
  expect_refused({"--benchmark", test_ + ":sampels=2"}, {"sampels", "did you mean 'samples'?"});
  expect_refused({"--benchmark", test_, "--prompt-style", "boxd"}, {"boxed", "qwen25-math-cot"});
  expect_refused({"--benchmark", test_, "--prompt-style", "chat", "--prompt-suffix", "x"},
                 {"--prompt-suffix has no effect"});
  expect_refused({"--benchmark", test_, "--shots", "2"}, {"without --few-shot FILE"});
  expect_refused({"--benchmark", test_ + ":prompt_style=boxed", "--prompt-suffix", "x"},
                 {"--prompt-suffix has no effect on", "test.jsonl", "boxed"});
  expect_refused({"--benchmark", test_ + ":samples=2"}, {"temperature=T"});
  expect_refused({"--benchmark", test_ + ":temperature=0.6"}, {"samples=N"});
  const ProgramResult limit = run_covrl(
      {"eval", "--model", source_path("data/tiny/model"), "--benchmark", test_, "--limit", "-1"});
  EXPECT_EQ(limit.status, 2) << limit.err;
  expect_mentions(limit.err, {"--limit is -1", "0 (all)"});
  expect_refused({"--benchmark", test_, "--top-p", "5"}, {"--top-p is 5", "up to 1"});
  expect_refused({"--benchmark", test_, "--temperature", "1e-40"},
                 {"--temperature is 1e-40", "0.001 to 100"});
  expect_refused({"--benchmark", test_, "--choose-on", "test"}, {"--run"});
  expect_refused({"--benchmark", test_, "--run", dir_}, {"one of --model and --run"});
}

TEST_F(EvalRun, EveryCheckpointOfARunOnceAndForAll) {
  const std::string run = dir_ + "/run", kept = run + "/evaluation";
  ASSERT_EQ(run_covrl(tiny_train_words(run, {"eval.files=[]", "trainer.save_every=2",
                                             "trainer.keep_checkpoints=0"}))
                .status,
            0);
  const ProgramResult whole = run_covrl(eval_run_words(run));
  ASSERT_EQ(whole.status, 0) << whole.err;
  expect_mentions(whole.out, {"Last step (4): test ", "Best step ("});
  const std::map<std::string, std::string> files = files_below(kept);
  EXPECT_EQ(files.size(), 10u);  // two sets: settings, policies, steps 0, 2, 4

  // A checkpoint by itself gives the same rows.
  const std::string out = dir_ + "/rows.jsonl",
                    model = run + "/checkpoints/global_step_2/actor/huggingface";
  Words single = eval_run_words("", {"--output", out});
  single[1] = "--model", single[2] = model;
  ASSERT_EQ(run_covrl(single).status, 0);
  std::vector<Json> rows = rows_of(out), of_run = rows_of(kept + "/test/global_step_2.jsonl");
  for (const Json& row : rows_of(kept + "/cross_domain/global_step_2.jsonl")) of_run.push_back(row);
  for (Json& row : of_run) row.erase("step");
  EXPECT_EQ(rows, of_run);

  // What an interrupted command had not finished is made again, the same; the rest is left alone.
  fs::remove(kept + "/cross_domain/global_step_2.jsonl");
  fs::remove(kept + "/test/global_step_4.jsonl");
  fs::remove(kept + "/cross_domain/global_step_4.jsonl");
  const ProgramResult again = run_covrl(eval_run_words(run));
  ASSERT_EQ(again.status, 0) << again.err;
  EXPECT_EQ(files_below(kept), files);
  EXPECT_EQ(again.out, whole.out);
  EXPECT_EQ(again.err.find("step 2: test"), std::string::npos) << again.err;
  expect_mentions(again.err, {"step 2: cross_domain", "step 4: test", "step 4: cross_domain"});

  const ProgramResult other = run_covrl(eval_run_words(run, {"--seed", "2"}));
  EXPECT_EQ(other.status, 2);
  expect_mentions(other.err, {"seed 1 (now 2)", "--output"});
  const ProgramResult chosen = run_covrl(eval_run_words(run, {"--choose-on", "test"}));
  EXPECT_EQ(chosen.status, 0) << chosen.err;
  expect_mentions(chosen.out, {"; chosen on test\n"});
  EXPECT_EQ(chosen.err.find("warning"), std::string::npos) << chosen.err;
}

TEST_F(EvalRun, AnotherPolicyOfTheSameStepIsEvaluatedAnew) {
  const auto train = [&](const std::string& run, const std::string& lr) {
    const ProgramResult result = run_covrl(
        tiny_train_words(run, {"eval.files=[]", "trainer.total_steps=2", "actor.optim.lr=" + lr}));
    ASSERT_EQ(result.status, 0) << result.err;
  };
  train(dir_ + "/a", "1e-3"), train(dir_ + "/b", "2e-3");
  const std::string shared = dir_ + "/shared", alone = dir_ + "/alone";
  ASSERT_EQ(run_covrl(eval_run_words(dir_ + "/a", {"--output", shared})).status, 0);
  const std::string of_a = read_file(shared + "/test/policies.json");
  const ProgramResult other = run_covrl(eval_run_words(dir_ + "/b", {"--output", shared}));
  ASSERT_EQ(other.status, 0) << other.err;
  expect_mentions(other.err, {"step 2: the kept rows of test are not known to be of this policy",
                              "step 2: test", "step 2: cross_domain"});
  EXPECT_EQ(other.err.find("step 0: "), std::string::npos) << other.err;  // where both started
  EXPECT_NE(read_file(shared + "/test/policies.json"), of_a);
  ASSERT_EQ(run_covrl(eval_run_words(dir_ + "/b", {"--output", alone})).status, 0);
  EXPECT_EQ(files_below(shared), files_below(alone));
}

TEST_F(EvalRun, AnotherVerifierJudgesTheKeptTextAgain) {
  const std::string run = dir_ + "/run", kept = run + "/evaluation";
  ASSERT_EQ(run_covrl(tiny_train_words(run, {"eval.files=[]", "trainer.total_steps=1"})).status, 0);
  const ProgramResult first = run_covrl(eval_run_words(run));
  ASSERT_EQ(first.status, 0) << first.err;
  const std::map<std::string, std::string> files = files_below(kept);
  const Words format = {"--verifier", "format"};
  const ProgramResult other = run_covrl(eval_run_words(run, format));
  ASSERT_EQ(other.status, 0) << other.err;
  for (const char* set : {"test", "cross_domain"})
    for (const char* step : {"0", "1"}) {
      expect_mentions(other.err, {concat("step ", step, ": ", set,
                                         " is judged again by format, no longer by math: ")});
      EXPECT_EQ(other.err.find(concat("step ", step, ": ", set, "\n")), std::string::npos)
          << "sampled again: " << other.err;
    }
  for (const Json& row : rows_of(kept + "/test/global_step_1.jsonl"))
    EXPECT_EQ(row["verifier"], "format");
  // The same as if that one had judged at once.
  const std::string fresh = dir_ + "/fresh";
  Words at_once = format;
  at_once.insert(at_once.end(), {"--output", fresh});
  const ProgramResult straight = run_covrl(eval_run_words(run, at_once));
  ASSERT_EQ(straight.status, 0) << straight.err;
  EXPECT_EQ(files_below(kept), files_below(fresh));
  EXPECT_EQ(other.out, straight.out);
  // Once is enough; and back again.
  EXPECT_EQ(run_covrl(eval_run_words(run, format)).err.find("judged again"), std::string::npos);
  EXPECT_EQ(run_covrl(eval_run_words(run)).out, first.out);
  EXPECT_EQ(files_below(kept), files);
  // Options make another judge as well.
  expect_mentions(run_covrl(eval_run_words(run, {"verifier.math.rounding=true"})).err,
                  {"judged again by math verifier.math.rounding=true, no longer by math"});
}

// As rows were written before they named their judge.
TEST_F(EvalRun, RowsWithoutAJudgeAreJudgedAgain) {
  const std::string run = dir_ + "/run", file = run + "/evaluation/test/global_step_0.jsonl";
  ASSERT_EQ(run_covrl(tiny_train_words(run, {"eval.files=[]", "trainer.total_steps=1"})).status, 0);
  ASSERT_EQ(run_covrl(eval_run_words(run)).status, 0);
  const std::string rows = read_file(file);
  std::string older;
  for (Json row : rows_of(file)) {
    row.erase("verifier");
    older += row.dump() + "\n";
  }
  write_file_atomically(file, older);
  const ProgramResult again = run_covrl(eval_run_words(run));
  EXPECT_EQ(again.status, 0) << again.err;
  expect_mentions(again.err, {"step 0: test is judged again by math, as the kept rows do not name",
                              "0 of 3 verdicts changed"});
  EXPECT_EQ(read_file(file), rows);
}

TEST_F(EvalRun, ARefusedCommandDoesNotBlockTheCorrectedOne) {
  const std::string run = dir_ + "/run";
  ASSERT_EQ(run_covrl(tiny_train_words(run, {"eval.files=[]", "trainer.total_steps=1"})).status, 0);
  const ProgramResult refused = run_covrl(eval_run_words(run, {"--prompt-style", "llama"}));
  EXPECT_EQ(refused.status, 2);
  expect_mentions(refused.err, {"prompt style llama"});
  const ProgramResult corrected = run_covrl(eval_run_words(run));
  EXPECT_EQ(corrected.status, 0) << corrected.err;
}

TEST_F(EvalRun, SeveralRanksGiveTheSameFiles) {
  const std::string run = dir_ + "/run";
  ASSERT_EQ(run_covrl(tiny_train_words(run, {"eval.files=[]", "trainer.total_steps=1"})).status, 0);
  ASSERT_EQ(run_covrl(eval_run_words(run, {"--output", dir_ + "/one"})).status, 0);
  const ProgramResult two = run_covrl_ranks(2, eval_run_words(run, {"--output", dir_ + "/two"}));
  ASSERT_EQ(two.status, 0) << two.err;
  EXPECT_EQ(files_below(dir_ + "/one"), files_below(dir_ + "/two"));
}

}  // namespace
}  // namespace covrl::testing
