// From a run's history to the next run's training set, and the published data as it is.
#include <gtest/gtest.h>

#include <filesystem>
#include <set>

#include "core/error.h"
#include "core/jsonl.h"
#include "tests/e2e/tiny_run.h"

namespace covrl::testing {
namespace {

namespace fs = std::filesystem;
using Words = std::vector<std::string>;

void expect_mentions(const std::string& text, const Words& parts) {
  for (const std::string& part : parts)
    EXPECT_NE(text.find(part), std::string::npos) << "no '" << part << "' in: " << text;
}

TEST(Select, ARunsHistoryBecomesATrainingSet) {
  const std::string dir = temporary_dir("select"), run = dir + "/run",
                    chosen = dir + "/chosen.jsonl";
  const std::string data = source_path("data/tiny/train.jsonl");
  const ProgramResult trained = run_covrl(tiny_train_words(
      run,
      {"data.train_files=[" + data + "]", "data.repeat=1", "data.ids=[train-0,train-29,train-36]",
       "data.shares=[2,1,1]", "eval.files=[]", "trainer.total_steps=3"}));
  ASSERT_EQ(trained.status, 0) << trained.err;
  expect_mentions(trained.err,
                  {"Chosen:   3 of 64 rows", "4 rows, 3 distinct", "Prompt 3: id train-36"});
  int64_t counted = 0;
  read_jsonl(run + "/example_accuracy.jsonl",
             [&](int64_t, const Json& row) { counted += get_int(row, "counted", "row"); });
  EXPECT_EQ(counted, 3 * 4 * 4);
  const ProgramResult result =
      run_covrl({"select", "--history", run, "--method", "hardest", "--top", "2", "--data", data,
                 "--output", chosen, "--repeat", "2", "--format", "jsonl"});
  ASSERT_EQ(result.status, 0) << result.err;
  const Json first = Json::parse(result.out.substr(0, result.out.find('\n')));
  EXPECT_EQ(first.at("rank"), 1);
  EXPECT_EQ(first.at("seen"), 3);
  std::vector<std::string> ids;
  read_jsonl(chosen, [&](int64_t, const Json& row) {
    ids.push_back(get_string(row, "id", "row"));
    EXPECT_TRUE(row.contains("family"));  // carried through
  });
  ASSERT_EQ(ids.size(), 4u);
  EXPECT_EQ(ids[0], first.at("id"));
  EXPECT_EQ(ids[0], ids[1]);
  EXPECT_NE(ids[1], ids[2]);
}

TEST(Select, MergedCopiesLearnFromEachOther) {
  const std::string dir = temporary_dir("select");
  Words words = {"trainer.total_steps=1", "eval.files=[]", "rollout.max_new_tokens=64"};
  ASSERT_EQ(run_covrl(tiny_train_words(dir + "/alone", words)).status, 0);
  words.push_back("data.merge_copies=true");
  ASSERT_EQ(run_covrl(tiny_train_words(dir + "/merged", words)).status, 0);
  const auto first_score = [](const std::string& run) {
    return read_metrics(run + "/metrics.jsonl").at(0).second;
  };
  const Metrics alone = first_score(dir + "/alone"), merged = first_score(dir + "/merged");
  EXPECT_EQ(alone.at("critic/score/mean"), merged.at("critic/score/mean"));  // the same draws
  EXPECT_NE(alone.at("critic/advantages/max"), merged.at("critic/advantages/max"));
  const ProgramResult refused = run_covrl(tiny_train_words(
      dir + "/refused", {"data.merge_copies=true", "algorithm.filter_groups.enable=true"}));
  EXPECT_EQ(refused.status, 2);
  expect_mentions(refused.err, {"merge_copies", "filter_groups"});
}

TEST(Select, TiesAreReported) {
  const std::string dir = temporary_dir("select"), history = dir + "/acc.json";
  write_file_atomically(history, "{\"x\": [0, 1], \"y\": [0, 0], \"z\": [1, 1], \"w\": []}");
  const ProgramResult result = run_covrl({"select", "--history", history, "--top", "2"});
  ASSERT_EQ(result.status, 0) << result.err;
  expect_mentions(result.out, {"tied ranks", "2-3"});
  expect_mentions(result.err, {"1 of the 2 examples at ranks 2 to 3", "order of the history",
                               "1 of 4 examples have no counted sample"});
  EXPECT_EQ(run_covrl({"select", "--history", history, "--top", "3"}).err.find("at ranks"),
            std::string::npos);
}

TEST(Select, FaultsSayTheRemedy) {
  const std::string dir = temporary_dir("select"), history = dir + "/acc.json";
  write_file_atomically(history, "{\"train-0\": [0, 1], \"elsewhere\": [0, 0]}");
  const std::string data = source_path("data/tiny/train.jsonl");
  const std::vector<std::pair<Words, Words>> faults = {
      {{}, {"--history is required"}},
      {{"--history", dir}, {"no example_accuracy.jsonl"}},
      {{"--history", history, "--method", "st"}, {"--method", "std"}},
      {{"--history", history, "--rank", "3"}, {"--rank '3'", "1 to 2"}},
      {{"--history", history, "--rank", "2-1"}, {"ends before it begins"}},
      {{"--history", history, "--repeat", "3"}, {"give --data and --output"}},
      {{"--history", history, "--data", data, "--output", dir + "/a.parquet"}, {"jsonl"}},
      {{"--history", history, "--data", data, "--output", dir + "/a.jsonl"},
       {"train.jsonl", "'elsewhere'", "rank 2"}}};
  for (const auto& [words, parts] : faults) {
    Words all = {"select"};
    all.insert(all.end(), words.begin(), words.end());
    const ProgramResult result = run_covrl(all);
    EXPECT_EQ(result.status, 2) << result.err;
    expect_mentions(result.err, parts);
  }
  EXPECT_FALSE(fs::exists(dir + "/a.jsonl"));
}

TEST(Select, RandomNeedsTheDataAlone) {
  const Words words = {
      "select", "--method", "random",   "--data", source_path("data/tiny/train.jsonl"),
      "--top",  "16",       "--format", "jsonl"};
  const ProgramResult result = run_covrl(words);
  ASSERT_EQ(result.status, 0) << result.err;
  std::set<std::string> ids;
  const std::string file = temporary_dir("select") + "/ranking.jsonl";
  write_file_atomically(file, result.out);
  read_jsonl(file, [&](int64_t, const Json& row) { ids.insert(get_string(row, "id", "row")); });
  EXPECT_EQ(ids.size(), 16u);
  EXPECT_EQ(run_covrl(words).out, result.out);
}

// The published files as they are, with a tokenizer that is here (its tokens are shorter, so that
// prompts are longer).
TEST(PublishedData, EveryFileMakesABatchOfTheScripts) {
  const std::vector<std::array<std::string, 2>> files = {
      {"pi1_r128.parquet", "1 distinct prompt x 128"},
      {"pi2_r128.parquet", "1 distinct prompt x 128"},
      {"pi13_r128.parquet", "1 distinct prompt x 128"},
      {"pi1209_r128.parquet", "1 distinct prompt x 128"},
      {"merge_pi1_pi13_r128.parquet", "2 distinct prompts x 64"},
      {"merge_pi1_pi2_pi13_pi1209_r128.parquet", "4 distinct prompts x 32"},
      {"dsr_sub.parquet", "1209 rows, 1207 distinct"},
      {"dsr_sub.jsonl", "1209 rows, 1207 distinct"},
      {"math500_verl.parquet", "500 distinct prompts"}};
  int num_found = 0;
  for (const auto& [name, summary] : files) {
    const std::string path = reference_path("data/oneshot/" + name);
    if (path.empty()) continue;
    ++num_found;
    const ProgramResult result = run_covrl(
        {"train", "--config", source_path("configs/one_shot/qwen2.5-math-1.5b-pi1.yaml"),
         "--dry-run", "model.path=" + source_path("data/tiny/model"),
         "data.train_files=[" + path + "]", "data.max_prompt_length=100000", "eval.files=[]"});
    ASSERT_EQ(result.status, 0) << result.err;
    expect_mentions(result.err,
                    {"Training: " + summary, "128 prompts x 8 samples = 1024 completions",
                     "1 update per rollout step, 128 prompts (1024 completions) each",
                     "2000 rollout steps, 2000 updates, 2048000 completions", "Prompt 1: id "});
  }
  std::cout << num_found << " of " << files.size() << " published files are here\n";
  EXPECT_GE(num_found, 2);
}

// Presets that cut their rows from DSR-sub or change them.
TEST(PublishedData, PresetsFindTheirRows) {
  const std::string dsr_sub = reference_path("data/oneshot/dsr_sub.parquet"),
                    pi1 = reference_path("data/oneshot/pi1_r128.parquet");
  COVRL_REQUIRE_REFERENCE(dsr_sub);
  const auto dry_run = [&](const std::string& base, const std::string& preset,
                           const std::string& file) {
    return run_covrl(
               {"train", "--config", source_path("configs/one_shot/qwen2.5-math-1.5b-" + base),
                "--config", source_path("configs/one_shot/" + preset), "--dry-run",
                "model.path=" + source_path("data/tiny/model"), "data.train_files=[" + file + "]",
                "data.max_prompt_length=100000", "eval.files=[]"})
        .err;
  };
  expect_mentions(dry_run("pi1.yaml", "example/pi1_to_16.yaml", dsr_sub),
                  {"16 distinct prompts x 8", "16 of 1209 rows", "Prompt 1: id 124, "});
  expect_mentions(dry_run("pi1.yaml", "example/random_16.yaml", dsr_sub),
                  {"16 distinct prompts x 8"});
  expect_mentions(dry_run("pi1.yaml", "example/pi1207.yaml", dsr_sub),
                  {"1 distinct prompt x 128", "answer '\\frac{4}{5}'"});
  expect_mentions(dry_run("pi1.yaml", "label/4.yaml", pi1),
                  {"1 distinct prompt x 128", "124: 12.8 -> 4", "answer '4'"});
  expect_mentions(
      dry_run("pi1.yaml", "prompt/cube_root.yaml", pi1),
      {"1 distinct prompt x 128", "Calculate $\\sqrt[3]{2048}$. Let's", "answer '12.8'"});
  expect_mentions(dry_run("dsr_sub.yaml", "noise/90.yaml", dsr_sub),
                  {"1088 of 1209 problems have a wrong one", "8 hold no number"});
}

}  // namespace
}  // namespace covrl::testing
