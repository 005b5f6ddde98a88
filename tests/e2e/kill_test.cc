// Killed (SIGKILL) where something has just been written, with a line of every log cut off, and
// started again: what comes out is the same to the byte.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>

#include "core/jsonl.h"
#include "tests/e2e/tiny_run.h"

namespace covrl::testing {
namespace {

namespace fs = std::filesystem;
using Words = std::vector<std::string>;

bool holds(const std::string& path, const std::string& text) {
  std::ifstream file(path, std::ios::binary);
  const std::string content{std::istreambuf_iterator<char>(file), {}};
  return content.find(text) != std::string::npos;
}

// Returns when no process writes to the run folder any more: those that a killed sweep leaves die a
// moment after it.
void wait_for_lock(const std::string& run) {
  const int lock = open((run + "/.lock").c_str(), O_RDWR | O_CLOEXEC);
  if (lock < 0) return;  // no process had come so far
  flock(lock, LOCK_EX);
  close(lock);
}

// What a run appends to.
std::vector<std::string> logs_of(const std::string& run) {
  std::vector<std::string> names;
  for (const fs::directory_entry& entry : fs::directory_iterator(run))
    if (entry.path().extension() == ".jsonl") names.push_back(entry.path().filename().string());
  std::ranges::sort(names);
  return names;
}

// The first bytes of a line, as if the last write had been cut off.
void cut_off_a_line(const std::string& log) {
  std::ofstream(log, std::ios::app) << R"({"step":2,"id":"on)";
}

// Nothing of it is being written any more, and nothing of it is made again.
bool is_over(const std::string& run) {
  return fs::exists(run + "/checkpoints/global_step_5/MANIFEST.json") &&
         holds(run + "/metrics.jsonl", "{\"step\":5,");
}

class Killed : public ::testing::Test {
 protected:
  std::string dir_ = temporary_dir("killed");
};

// One training example; every log that there is; a checkpoint every other step.
Words sweep_words(const std::string& dir, const std::string& root) {
  const std::string file = dir + "/sweep.yaml";
  std::ofstream(file) << "sweep:\n  seeds: [1, 2]\n  jobs: 2\n  variants:\n    one_shot:\n";
  Words words = tiny_train_words(
      root, {"eval.every=1", "trainer.save_every=2", "trainer.total_steps=5",
             "actor.entropy_control.kind=kl_cov", "actor.policy_loss.kind=unclipped",
             "actor.entropy_control.kl_cov_ratio=0.05", "reward.audit.verifier=format",
             "reward.audit.share=1", "alarms.entropy_floor=10", "alarms.window=2"});
  words[0] = "sweep";
  words.insert(words.begin() + 3, {"--sweep", file});
  return words;
}

TEST_F(Killed, ASweepEndsInTheSameTable) {
  const std::string calm = dir_ + "/calm", root = dir_ + "/root", run = root + "/one_shot/seed_1";
  const ProgramResult undisturbed = run_covrl(sweep_words(dir_, calm));
  ASSERT_EQ(undisturbed.status, 0) << undisturbed.err;

  const Words words = sweep_words(dir_, root);
  const std::vector<std::function<bool()>> points = {
      [&] { return holds(run + "/metrics.jsonl", "{\"step\":1,"); },  // before any checkpoint
      [&] { return fs::exists(run + "/checkpoints"); },  // while the first one is written
      [&] { return fs::exists(run + "/checkpoints/global_step_2/MANIFEST.json"); },
      [&] { return holds(run + "/samples.jsonl", "{\"step\":3,"); },
      [&] { return holds(run + "/metrics.jsonl", "{\"step\":4,"); }};
  for (size_t i = 0; i < points.size(); ++i) {
    EXPECT_TRUE(kill_covrl_when(words, points[i])) << "ended before point " << i;
    EXPECT_FALSE(fs::exists(root + "/sweep.md"));
    for (const int seed : {1, 2}) {
      const std::string folder = root + "/one_shot/seed_" + std::to_string(seed);
      wait_for_lock(folder);
      if (!fs::exists(folder) || is_over(folder)) continue;
      for (const std::string& log : logs_of(folder)) cut_off_a_line(folder + "/" + log);
    }
  }
  // What is there can be read as it is.
  for (const Words& reader : {Words{"report", "--run", run, "--output", dir_ + "/report.html"},
                              Words{"entropy", "--run", run, "--output", dir_ + "/entropy.html"},
                              Words{"eval", "--responses", run}, Words{"select", "--history", run}})
    EXPECT_EQ(run_covrl(reader).status, 0) << reader[0] << ": " << run_covrl(reader).err;

  const ProgramResult again = run_covrl(words);
  ASSERT_EQ(again.status, 0) << again.err;
  EXPECT_EQ(again.out, undisturbed.out);
  for (const char* page : {"/sweep.md", "/sweep.html"})
    EXPECT_EQ(read_file(root + page), read_file(calm + page));
  for (const char* seed : {"/one_shot/seed_1", "/one_shot/seed_2"}) {
    EXPECT_EQ(logs_of(root + seed), logs_of(calm + seed));
    EXPECT_EQ(logs_of(calm + seed).size(), 7u);
    EXPECT_EQ(curves(root + seed), curves(calm + seed));
    for (const std::string& log : logs_of(calm + seed)) {
      if (log == "metrics.jsonl") continue;  // holds times
      EXPECT_EQ(read_file(root + seed + "/" + log), read_file(calm + seed + "/" + log)) << log;
    }
  }
}

// Name and content of every file below `folder`, but for what was half written when its writer
// died.
std::map<std::string, std::string> files_below(const std::string& folder) {
  std::map<std::string, std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder))
    if (entry.is_regular_file() && entry.path().string().find(".tmp.") == std::string::npos)
      files[fs::relative(entry.path(), folder).string()] = read_file(entry.path().string());
  return files;
}

TEST_F(Killed, AnEvaluationOfARunEndsInTheSameTable) {
  const std::string run = dir_ + "/run", kept = dir_ + "/kept", calm = dir_ + "/calm";
  ASSERT_EQ(run_covrl(tiny_train_words(run, {"eval.files=[]", "trainer.save_every=1",
                                             "trainer.keep_checkpoints=0"}))
                .status,
            0);
  const auto words = [&](const std::string& folder) {
    return Words{"eval",
                 "--run",
                 run,
                 "--benchmark",
                 source_path("data/tiny/test.jsonl"),
                 "--benchmark",
                 source_path("data/tiny/cross_domain.jsonl"),
                 "--samples",
                 "2",
                 "--temperature",
                 "1",
                 "--limit",
                 "24",
                 "--output",
                 folder};
  };
  const ProgramResult undisturbed = run_covrl(words(calm));
  ASSERT_EQ(undisturbed.status, 0) << undisturbed.err;

  const std::vector<std::function<bool()>> points = {
      [&] { return fs::exists(kept + "/test/settings.json"); },
      [&] { return fs::exists(kept + "/test/global_step_0.jsonl"); },
      [&] { return holds(kept + "/cross_domain/policies.json", "\"1\""); },
      [&] { return fs::exists(kept + "/test/global_step_3.jsonl"); }};
  for (size_t i = 0; i < points.size(); ++i)
    EXPECT_TRUE(kill_covrl_when(words(kept), points[i])) << "ended before point " << i;
  const ProgramResult again = run_covrl(words(kept));
  ASSERT_EQ(again.status, 0) << again.err;
  EXPECT_EQ(again.out, undisturbed.out);
  EXPECT_EQ(files_below(kept), files_below(calm));
}

}  // namespace
}  // namespace covrl::testing
