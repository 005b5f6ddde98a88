// What a user gets wrong: one clear message, exit status 2, nothing written half.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "tests/e2e/tiny_run.h"

namespace covrl::testing {
namespace {

namespace fs = std::filesystem;

// The run must end with status 2, say every one of `words`, and leave no run folder.
void expect_refused(const std::vector<std::string>& args, const std::vector<std::string>& words,
                    const std::string& run) {
  const ProgramResult result = run_covrl(args);
  EXPECT_EQ(result.status, 2) << result.err;
  for (const std::string& word : words)
    EXPECT_NE(result.err.find(word), std::string::npos) << "no '" << word << "' in: " << result.err;
  EXPECT_FALSE(fs::exists(run));
}

class Errors : public ::testing::Test {
 protected:
  std::string dir_ = temporary_dir("errors");
  std::string run_ = dir_ + "/run";

  std::string write(const std::string& name, const std::string& text) {
    std::ofstream(dir_ + "/" + name) << text;
    return dir_ + "/" + name;
  }
};

TEST_F(Errors, MisspelledKey) {
  const std::string file = write("typo.yaml", "rollout:\n  temprature: 0.6\n");
  std::vector<std::string> words = tiny_train_words(run_);
  words.insert(words.begin() + 3, {"--config", file});
  expect_refused(words, {"typo.yaml:2", "temprature", "temperature"}, run_);
}

TEST_F(Errors, SeveralFaultsComeTogether) {
  const std::string file =
      write("faults.yaml", "rollout:\n  n: many\ntrainer:\n  total_steps: -1\n");
  std::vector<std::string> words = tiny_train_words(run_);
  words.erase(std::remove(words.begin(), words.end(), "rollout.n=4"), words.end());
  words.erase(std::remove(words.begin(), words.end(), "trainer.total_steps=4"), words.end());
  words.insert(words.begin() + 3, {"--config", file});
  expect_refused(words, {"faults.yaml:2", "many", "faults.yaml:4", "-1"}, run_);
}

TEST_F(Errors, MisspelledOverride) {
  expect_refused(tiny_train_words(run_, {"trainer.sed=3"}), {"trainer.sed", "trainer.seed"}, run_);
}

TEST_F(Errors, MissingConfigFile) {
  expect_refused({"train", "--config", dir_ + "/absent.yaml"}, {"absent.yaml"}, run_);
}

TEST_F(Errors, MissingDataFile) {
  expect_refused(tiny_train_words(run_, {"data.train_files=[" + dir_ + "/absent.jsonl]"}),
                 {"absent.jsonl"}, run_);
}

TEST_F(Errors, MalformedDataRow) {
  const std::string file =
      write("rows.jsonl", "{\"id\": 1, \"problem\": \"1+1\", \"answer\": \"2\"}\n{\"id\": 2,\n");
  expect_refused(tiny_train_words(run_, {"data.train_files=[" + file + "]"}), {"rows.jsonl:2"},
                 run_);
}

TEST_F(Errors, MissingModel) {
  expect_refused(tiny_train_words(run_, {"model.path=" + dir_ + "/absent"}), {"absent"}, run_);
}

TEST_F(Errors, TruncatedWeights) {
  const std::string model = dir_ + "/model";
  fs::copy(source_path("data/tiny/model"), model, fs::copy_options::recursive);
  fs::resize_file(model + "/model.safetensors", fs::file_size(model + "/model.safetensors") / 2);
  expect_refused(tiny_train_words(run_, {"model.path=" + model}), {"model.safetensors"}, run_);
}

TEST_F(Errors, RunFolderInTheWay) {
  const std::string file = write("file", "not a folder");
  const ProgramResult result = run_covrl(tiny_train_words(file + "/run"));
  EXPECT_EQ(result.status, 2) << result.err;
  EXPECT_NE(result.err.find("run_dir"), std::string::npos) << result.err;
}

TEST_F(Errors, InertKnobsAreRefusedWithTheReason) {
  expect_refused(tiny_train_words(run_, {"actor.kl_loss_coef=0", "actor.kl_loss_type=k2"}),
                 {"kl_loss_type"}, run_);
}

TEST_F(Errors, MoreLearnersThanRanks) {
  expect_refused(tiny_train_words(run_, {"cluster.learners=1"}), {"cluster.learners", "mpirun"},
                 run_);
}

TEST_F(Errors, UnknownCommandNamesTheNearest) {
  const ProgramResult result = run_covrl({"trian"});
  EXPECT_EQ(result.status, 2);
  EXPECT_NE(result.err.find("train"), std::string::npos);
}

TEST_F(Errors, ResumeIsAutoNeverOrACheckpoint) {
  expect_refused(tiny_train_words(run_, {"trainer.resume=maybe"}),
                 {"trainer.resume: 'maybe'", "auto, never or"}, run_);
}

TEST_F(Errors, TheDeviceMayBeNamedBesideTheConfiguration) {
  expect_refused(tiny_train_words(run_, {"--device", "gpu"}), {"--device", "cuda", "'gpu'"}, run_);
  const ProgramResult result =
      run_covrl(tiny_train_words(run_, {"--config-only", "--device", "cuda"}));
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_NE(result.out.find("device: cuda"), std::string::npos);
}

TEST_F(Errors, AFaultOnOneRankEndsAllRanks) {
  const ProgramResult result =
      run_covrl_ranks(2, tiny_train_words(run_, {"model.path=" + dir_ + "/absent"}));
  EXPECT_NE(result.status, 0);
  EXPECT_NE(result.err.find("absent"), std::string::npos) << result.err;
}

}  // namespace
}  // namespace covrl::testing
