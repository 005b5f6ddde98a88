// covrl sweep: variants over seeds, each a run of its own; killed and started again it ends in the
// same table.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>

#include "core/jsonl.h"
#include "tests/e2e/tiny_run.h"

namespace covrl::testing {
namespace {

namespace fs = std::filesystem;

// The first run of `short` ends while both of `base` are at work.
constexpr const char* kTwoVariants =
    "trainer:\n"
    "  total_steps: 4\n"
    "sweep:\n"
    "  title: Temperature\n"
    "  seeds: [1, 2]\n"
    "  jobs: 3\n"
    "  variants:\n"
    "    base:\n"
    "    short: {label: short and cold, set: [rollout.temperature=0.5, trainer.total_steps=1]}\n";

class Sweep : public ::testing::Test {
 protected:
  std::string dir_ = temporary_dir("sweep");

  std::string write(const std::string& text) {
    const std::string path = dir_ + "/sweep.yaml";
    std::ofstream(path) << text;
    return path;
  }

  // Words of a sweep of tiny runs below `root`.
  std::vector<std::string> words(const std::string& text, const std::string& root,
                                 const std::vector<std::string>& more = {}) {
    std::vector<std::string> all =
        tiny_train_words(root, {"trainer.save_every=1", "eval.max_problems=2"});
    std::erase(all, "trainer.total_steps=4");
    all[0] = "sweep";
    all.insert(all.begin() + 3, {"--sweep", write(text)});
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }

  // Status 2, all of `parts` in the message, and nothing was begun.
  void expect_refused(const std::string& text, const std::vector<std::string>& parts) {
    const ProgramResult result = run_covrl(words(text, dir_ + "/root"));
    EXPECT_EQ(result.status, 2) << result.err;
    for (const std::string& part : parts)
      EXPECT_NE(result.err.find(part), std::string::npos) << "no '" << part << "': " << result.err;
    EXPECT_FALSE(fs::exists(dir_ + "/root"));
  }
};

// Starts a sweep and ends it by `signal` when it says that its first run is done.
int end_in_the_middle(std::vector<std::string> args, int signal) {
  args.insert(args.begin(), std::string(COVRL_BINARY_DIR) + "/bin/covrl");
  int ends[2];
  EXPECT_EQ(pipe(ends), 0);
  const pid_t child = fork();
  if (child == 0) {
    dup2(ends[1], STDERR_FILENO);
    close(ends[0]), close(ends[1]);
    std::vector<char*> argv;
    for (std::string& word : args) argv.push_back(word.data());
    argv.push_back(nullptr);
    execv(argv[0], argv.data());
    _exit(127);
  }
  close(ends[1]);
  std::string said;
  for (char c = 0; said.find("[1/4]") == std::string::npos && read(ends[0], &c, 1) == 1;) said += c;
  EXPECT_NE(said.find("[1/4]"), std::string::npos) << said;
  kill(child, signal);
  int status = 0;
  for (char c = 0; read(ends[0], &c, 1) == 1;) {  // to its end, so that it can go on writing
  }
  waitpid(child, &status, 0);
  close(ends[0]);
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

TEST_F(Sweep, KilledOrInterruptedAndStartedAgainItEndsInTheSameTable) {
  const std::string calm = dir_ + "/calm", killed = dir_ + "/killed", stopped = dir_ + "/stopped";
  const ProgramResult undisturbed = run_covrl(words(kTwoVariants, calm));
  ASSERT_EQ(undisturbed.status, 0) << undisturbed.err;
  const std::string tables = read_file(calm + "/sweep.md");
  EXPECT_NE(tables.find("| short and cold | 2 |"), std::string::npos) << tables;
  EXPECT_NE(tables.find(" ± "), std::string::npos) << tables;
  EXPECT_EQ(end_in_the_middle(words(kTwoVariants, killed), SIGKILL), 128 + SIGKILL);
  EXPECT_EQ(end_in_the_middle(words(kTwoVariants, stopped), SIGINT), 1);
  for (const std::string& root : {killed, stopped}) {
    EXPECT_FALSE(fs::exists(root + "/sweep.md"));
    const ProgramResult again = run_covrl(words(kTwoVariants, root));
    ASSERT_EQ(again.status, 0) << again.err;
    EXPECT_EQ(again.out, undisturbed.out);
    EXPECT_EQ(read_file(root + "/sweep.md"), tables);
    EXPECT_EQ(read_file(root + "/sweep.html"), read_file(calm + "/sweep.html"));
    EXPECT_EQ(curves(root + "/base/seed_2"), curves(calm + "/base/seed_2"));
  }
}

TEST_F(Sweep, CompleteRunsAreNotRepeatedAndOtherConfigurationsRefused) {
  const std::string root = dir_ + "/root";
  ASSERT_EQ(run_covrl(words(kTwoVariants, root)).status, 0);
  const auto launches = [&] { return read_json(root + "/base/seed_1/launch.json").size(); };
  // Threads and jobs change no result.
  const ProgramResult again =
      run_covrl(words(kTwoVariants, root, {"sweep.jobs=1", "trainer.keep_checkpoints=1"}));
  EXPECT_EQ(again.status, 0) << again.err;
  EXPECT_EQ(launches(), 1u);
  const ProgramResult dry = run_covrl(words(kTwoVariants, root, {"--dry-run"}));
  EXPECT_NE(dry.out.find("0 of 4 runs to do"), std::string::npos) << dry.out;
  for (const std::string change : {"actor.optim.lr=1e-3", "eval.samples=1"}) {
    const ProgramResult other = run_covrl(words(kTwoVariants, root, {change}));
    EXPECT_EQ(other.status, 2) << other.err;
    for (const std::string& part : {root + "/base/seed_1", change.substr(0, change.find('='))})
      EXPECT_NE(other.err.find(part), std::string::npos) << other.err;
  }
  EXPECT_EQ(launches(), 1u);
}

TEST_F(Sweep, AFailedRunIsReportedAndTheOthersGoOn) {
  const std::string root = dir_ + "/root";
  const ProgramResult result =
      run_covrl(words("trainer: {total_steps: 1}\nsweep:\n  seeds: [7]\n  variants:\n    broken: "
                      "{set: ['data.ids=[absent]']}\n"
                      "    whole:\n",
                      root));
  EXPECT_EQ(result.status, 1);
  EXPECT_NE(result.err.find("absent"), std::string::npos) << result.err;
  EXPECT_NE(result.err.find("FAILED: " + root + "/broken/seed_7: exit status 2"), std::string::npos)
      << result.err;
  EXPECT_NE(result.out.find("| broken | 0 of 1 |"), std::string::npos) << result.out;
  EXPECT_NE(result.out.find("| whole | 1 |"), std::string::npos) << result.out;
  EXPECT_NE(result.out.find("One run each"), std::string::npos) << result.out;
}

// Entropy is always below 10 nats: the alarm rings in step 2.
TEST_F(Sweep, ARunThatAnAlarmEndsIsOverAndNoFailure) {
  const std::string root = dir_ + "/root";
  const std::string text =
      "trainer: {total_steps: 3}\nsweep:\n  seeds: [1]\n  variants:\n    base:\n    alarm: {set: "
      "[alarms.entropy_floor=10, alarms.window=2, alarms.action=stop]}\n";
  const ProgramResult first = run_covrl(words(text, root, {"rollout.top_k=50"}));
  EXPECT_EQ(first.status, 0) << first.err;
  EXPECT_NE(first.err.find("alarm/seed_1  ended by an alarm at step 2 after"), std::string::npos)
      << first.err;
  EXPECT_NE(first.out.find("| alarm | 0 of 1, 1 ended by an alarm at step 2 |"), std::string::npos)
      << first.out;
  EXPECT_NE(first.out.find("alarm: 1 of 1 runs ended by an alarm (seed 1 at step 2)"),
            std::string::npos)
      << first.out;
  const std::string page = read_file(root + "/sweep.html");
  for (const char* part : {"rollout.top_k=50</code>", "alarm/seed_1/report.html"})
    EXPECT_NE(page.find(part), std::string::npos) << "no " << part;

  const ProgramResult again = run_covrl(words(text, root, {"rollout.top_k=50"}));
  EXPECT_EQ(again.status, 0) << again.err;
  EXPECT_EQ(again.out, first.out);
  EXPECT_EQ(read_json(root + "/alarm/seed_1/launch.json").size(), 1u);
  const ProgramResult dry = run_covrl(words(text, root, {"rollout.top_k=50", "--dry-run"}));
  EXPECT_NE(dry.out.find("alarm/seed_1  3 steps  ended by an alarm at step 2"), std::string::npos)
      << dry.out;
  EXPECT_NE(dry.out.find("0 of 2 runs to do"), std::string::npos) << dry.out;
}

TEST_F(Sweep, ARunThatAnAlarmEndedGoesOnWhenTheAlarmOnlyWarns) {
  const std::string root = dir_ + "/root", plain = dir_ + "/plain";
  const std::string text =
      "trainer: {total_steps: 3}\nalarms: {entropy_floor: 10, window: 2}\nsweep:\n  seeds: [1]\n  "
      "variants:\n    base:\n";
  ASSERT_EQ(run_covrl(words(text, root, {"alarms.action=stop"})).status, 0);
  EXPECT_EQ(read_metrics(root + "/base/seed_1/metrics.jsonl").back().first, 2);
  const ProgramResult on = run_covrl(words(text, root));
  EXPECT_EQ(on.status, 0) << on.err;
  EXPECT_EQ(read_metrics(root + "/base/seed_1/metrics.jsonl").back().first, 3);
  // A warning is no other configuration, and its removal neither.
  const std::string quiet =
      "trainer: {total_steps: 3}\nsweep:\n  seeds: [1]\n  variants:\n    base:\n";
  const ProgramResult without = run_covrl(words(quiet, root));
  EXPECT_EQ(without.status, 0) << without.err;
  EXPECT_EQ(without.out, on.out);
  EXPECT_EQ(read_json(root + "/base/seed_1/launch.json").size(), 2u);
  EXPECT_EQ(run_covrl(words(quiet, plain)).out, on.out);
}

TEST_F(Sweep, APresetsSeedIsNamedAndTheSweepsAreUsed) {
  const std::string preset = dir_ + "/preset.yaml", root = dir_ + "/root";
  std::ofstream(preset) << "trainer:\n  seed: 9\n";
  const ProgramResult dry =
      run_covrl(words("sweep:\n  seeds: [3]\n  variants:\n    a: {config: [" + preset + "]}\n",
                      root, {"--dry-run"}));
  EXPECT_EQ(dry.status, 0) << dry.err;
  EXPECT_NE(dry.out.find(root + "/a/seed_3"), std::string::npos) << dry.out;
  EXPECT_NE(dry.err.find(preset + ":2:3: trainer.seed is not used"), std::string::npos) << dry.err;
}

TEST_F(Sweep, TheWholeSweepIsCheckedBeforeAnythingRuns) {
  expect_refused(
      "sweep:\n  variants:\n    a: {set: [rollout.temprature=1]}\n    b: {set: "
      "[rollout.top_p=2]}\n",
      {"sweep.yaml:3:5: variant a: ", "rollout.temperature",
       "sweep.yaml:4:5: variant b: ", "rollout.top_p"});
  expect_refused("sweep:\n  variants:\n    a:\n    a: {label: x}\n", {"sweep.yaml:4", "duplicate"});
  expect_refused("sweep:\n  variants:\n    'a,b':\n", {"sweep.yaml:3", "a name is made of"});
  expect_refused("sweep:\n  seedz: [3]\n  variants:\n    a:\n", {"sweep.yaml:2", "sweep.seeds"});
  expect_refused("sweep:\n  seeds: [1, 1]\n  variants:\n    a:\n", {"sweep.yaml:2", "distinct"});
  expect_refused("sweep:\n  title: x\n", {"variants"});
  expect_refused("sweep:\n  variants:\n    a: {config: [/absent.yaml]}\n",
                 {"variant a", "/absent.yaml"});
  const std::string elsewhere = "sweep:\n  variants:\n    a: {set: [trainer.run_dir=elsewhere]}\n";
  const ProgramResult result =
      run_covrl({"sweep", "--config", source_path("configs/tiny/one_shot_grpo.yaml"), "--sweep",
                 write(elsewhere), "--dry-run"});
  EXPECT_EQ(result.status, 2);
  EXPECT_NE(result.err.find("variant a: trainer.run_dir"), std::string::npos) << result.err;
}

TEST_F(Sweep, TrainSaysWhoRunsASweep) {
  const ProgramResult result = run_covrl({"train", "--config", write(kTwoVariants)});
  EXPECT_EQ(result.status, 2);
  EXPECT_NE(result.err.find("sweep.yaml:3:1: "), std::string::npos) << result.err;
  EXPECT_NE(result.err.find("covrl sweep"), std::string::npos) << result.err;
}

}  // namespace
}  // namespace covrl::testing
