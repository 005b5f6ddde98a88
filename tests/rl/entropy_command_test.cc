// `covrl entropy` on runs whose law is known, on a poor fit and on nothing at all.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "core/error.h"
#include "core/jsonl.h"
#include "rl/commands/commands.h"
#include "rl/report/entropy_report.h"
#include "tests/support/entropy_runs.h"
#include "tests/support/paths.h"

namespace covrl {
namespace {

namespace fs = std::filesystem;
using testing::lawful_run;
using Rows = std::vector<std::pair<int64_t, Metrics>>;

class EntropyCommand : public ::testing::Test {
 protected:
  std::string dir_ = testing::temporary_dir("entropy");

  std::string write(const std::string& name, const Rows& rows) {
    const std::string run = dir_ + "/" + name;
    fs::create_directories(run);
    const auto sink = make_jsonl_sink(run + "/metrics.jsonl", 0);
    for (const auto& [step, row] : rows) sink->write(step, row);
    return run;
  }

  std::string text(const std::string& run, const EntropyQuery& query = {}) {
    return entropy_text(find_entropy(run, query));
  }
};

void expect_says(const std::string& text, const std::vector<std::string>& words) {
  for (const std::string& word : words)
    EXPECT_NE(text.find(word), std::string::npos) << "no '" << word << "' in:\n" << text;
}

template <class Action>
void expect_refused(Action action, const std::vector<std::string>& words) {
  try {
    action();
    ADD_FAILURE() << "not refused";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUsage);
    expect_says(error.what(), words);
  }
}

TEST_F(EntropyCommand, FindsTheLawOfARun) {
  const std::string run = write("lawful", lawful_run(40, 0.25, 0.75));
  const EntropyFindings found = find_entropy(run, {});
  EXPECT_EQ(found.accuracy, testing::kAccuracy);
  EXPECT_EQ(found.points.size(), 40u);
  EXPECT_NEAR(found.fit.a.value, 0.25, 1e-9);
  EXPECT_NEAR(found.fit.ceiling().value, 0.5, 1e-9);
  EXPECT_EQ(found.early.fit.num_points, 6u);  // 15 %
  EXPECT_NEAR(found.early.error, 0, 1e-9);
  ASSERT_EQ(found.changes.size(), 39u);
  EXPECT_NEAR(found.changes.back().outcome.correlation.value(), 1, 1e-9);
  expect_says(text(run), {"lawful: steps 0 to 40", "a            0.2500 +- 0.0000",
                          "ceiling      0.5000 +- 0.0000", "R^2          1.0000",
                          "from the first 6 of 40 points", "12 of 39 steps shown",
                          "of -covariance and change +1.000"});
}

TEST_F(EntropyCommand, IsSilentAboutAPoorFitAndSaysWhy) {
  const std::string noisy = write("noisy", lawful_run(20, 0.01, 0.5, /*noise=*/0.2));
  const std::string said = text(noisy);
  expect_says(said, {"the fit says nothing: "});
  EXPECT_EQ(said.find("ceiling"), std::string::npos) << said;
  expect_says(text(write("short", lawful_run(3, 0.25, 0.75))),
              {"3 points, fewer than 5", "leave nothing to predict"});
  EntropyQuery greedy;
  greedy.measure = "greedy";  // constant in these runs
  expect_says(text(noisy, greedy), {"the reward has not moved"});
}

TEST_F(EntropyCommand, RefusesWhatItCannotExplain) {
  expect_refused([&] { text(dir_ + "/absent"); }, {"metrics.jsonl", "not a run folder"});
  expect_refused([&] { text(write("empty", {})); }, {"no finished step"});
  Metrics sft;
  sft.set("train/loss", 1);
  expect_refused([&] { text(write("sft", {{1, sft}})); }, {"rollout/entropy"});
  const std::string run = write("lawful", lawful_run(6, 0.25, 0.75));
  expect_refused([&] { text(run, {.set = "tset", .measure = ""}); }, {"tset", "test mean@4"});
  expect_refused([&] { text(run, {.set = "", .measure = "maj@4"}); }, {"maj@4", "test greedy"});
  expect_refused([&] { run_entropy({"--run", run, "--first", "1.5"}); }, {"--first", "1.5"});
}

TEST_F(EntropyCommand, ARunWithoutEvaluationStillTellsItsChanges) {
  Rows rows = lawful_run(8, 0.25, 0.75);
  for (auto& [step, row] : rows) {
    Metrics kept;
    for (const char* name : {"rollout/entropy", "entropy_ctrl/cov_mean"})
      if (const double* value = row.find(name)) kept.set(name, *value);
    row = kept;
  }
  expect_says(text(write("unevaluated", rows)), {"was not evaluated", "7 of 7 steps shown"});
}

TEST_F(EntropyCommand, ShowsWhatEntropyControlLogged) {
  Rows rows = lawful_run(8, 0.25, 0.75);
  for (auto& [step, row] : rows) {
    if (step == 0) continue;
    row.set("entropy_ctrl/cov_top_0.02pct", 5.654);
    row.set("entropy_ctrl/cov_top_20pct", 0.351);
    row.set("entropy_ctrl/cov_mean", 0.003);
    row.set("entropy_ctrl/delta_same_states", -0.01 * static_cast<double>(step));
    row.set("entropy_ctrl/delta_first_order", -0.011 * static_cast<double>(step));
  }
  const std::string run = write("controlled", rows);
  std::ofstream selected(run + "/selected_tokens.jsonl");
  for (
      const auto* row :
      {R"({"step":1,"text":" So","before":"a<","after":"b","logprob":-2,"advantage":-1,"covariance":3})",
       R"({"step":2,"text":" So","before":"","after":"","logprob":-4,"advantage":1,"covariance":1})",
       R"({"step":2,"text":"x","before":"","after":"","logprob":-1,"advantage":1,"covariance":9})"})
    selected << row << "\n";
  selected.close();
  const EntropyFindings found = find_entropy(run, {});
  ASSERT_EQ(found.selected.size(), 2u);
  EXPECT_EQ(found.selected[0].count, 2);
  EXPECT_DOUBLE_EQ(found.selected[0].mean_logprob, -3);
  EXPECT_DOUBLE_EQ(found.selected[0].negative_share, 0.5);
  expect_says(entropy_text(found), {"0.02 %", "5.6540", "all", "correlation +1.000",
                                    "3 logged, 2 different", "\" So\""});
  const std::string page = entropy_page({found});
  expect_says(page, {"a&lt;<b> So</b>b", "5.6540", "change in the same states", "<circle"});
}

TEST_F(EntropyCommand, WritesOnePageOfSeveralRuns) {
  const std::string one = write("one", lawful_run(20, 0.25, 0.75)),
                    two = write("two", lawful_run(20, 0.1, 0.5));
  EXPECT_EQ(run_entropy({"--run", one, "--run", two}), 0);
  const std::string page = read_file(one + "/entropy.html");
  expect_says(page, {"<svg", "one, evaluations", "two, law", "0.2500", "0.1000"});
  for (const char* outside : {"http:", "https:", "<script", "nan", "inf\""})
    EXPECT_EQ(page.find(outside), std::string::npos) << outside;
  EXPECT_FALSE(fs::exists(two + "/entropy.html"));
}

}  // namespace
}  // namespace covrl
