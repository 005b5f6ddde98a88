// No output replaces what a command reads: status 2, one message, and the file is as it was.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "core/jsonl.h"
#include "tests/e2e/tiny_run.h"

namespace covrl::testing {
namespace {

namespace fs = std::filesystem;
using Words = std::vector<std::string>;

class Inputs : public ::testing::Test {
 protected:
  std::string dir_ = temporary_dir("inputs");
  std::string model_ = dir_ + "/model", problems_ = dir_ + "/problems.jsonl";

  void SetUp() override {
    fs::copy(source_path("data/tiny/model"), model_, fs::copy_options::recursive);
    fs::copy(source_path("data/tiny/one_shot.jsonl"), problems_);
  }
  std::string write(const std::string& name, const std::string& text) {
    fs::create_directories(fs::path(dir_ + "/" + name).parent_path());
    std::ofstream(dir_ + "/" + name) << text;
    return dir_ + "/" + name;
  }
  // The command says `parts`, and leaves `file`.
  static void expect_refused(const Words& words, const std::string& file, const Words& parts) {
    const std::string before = read_file(file);
    const ProgramResult result = run_covrl(words);
    EXPECT_EQ(result.status, 2) << words[0] << ": " << result.err;
    for (const std::string& part : parts)
      EXPECT_NE(result.err.find(part), std::string::npos) << "no '" << part << "': " << result.err;
    EXPECT_EQ(read_file(file), before) << words[0];
  }
  Words eval_words(const std::string& output, const Words& more = {}) {
    Words words = {"eval", "--model",  model_, "--benchmark",      problems_, "--limit",
                   "1",    "--output", output, "--max-new-tokens", "2"};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }
};

TEST_F(Inputs, AnEvaluationReplacesAnEvaluationAlone) {
  const std::string link = dir_ + "/link.jsonl", config = model_ + "/config.json",
                    notes = write("notes.txt", "to be kept\n"), rows = dir_ + "/rows.jsonl";
  fs::create_symlink(problems_, link);
  expect_refused(eval_words(problems_), problems_, {"--output", problems_, "--benchmark"});
  expect_refused(eval_words(link), problems_, {"--output", link, "--benchmark"});
  expect_refused(eval_words(config), config, {config, "--model"});
  expect_refused(eval_words(notes), notes, {notes, "rows of an evaluation"});
  const std::string shots = dir_ + "/shots.jsonl";
  fs::copy(problems_, shots);
  expect_refused(eval_words(shots, {"--few-shot", shots}), shots, {shots, "--few-shot"});
  for (int turn = 0; turn < 2; ++turn) {
    const ProgramResult result = run_covrl(eval_words(rows));
    EXPECT_EQ(result.status, 0) << result.err;
  }
  EXPECT_EQ(run_covrl(eval_words(write("empty.jsonl", ""))).status, 0);
}

TEST_F(Inputs, OneStepDoesNotReplaceTheOthers) {
  const std::string row =
      R"("benchmark":"test","id":"1","sample":0,"decoding":"greedy","gold":"7","response":"7",)"
      R"("outcome":"wrong","score":0,"extracted":"7","finish_reason":"stop","num_tokens":2})";
  const std::string rows =
      write("rows.jsonl", "{\"step\":0," + row + "\n{\"step\":2," + row + "\n");
  const Words judge = {"--verifier", "exact", "--output", rows};
  Words one = {"eval", "--responses", rows + "@2"}, all = {"eval", "--responses", rows};
  one.insert(one.end(), judge.begin(), judge.end());
  all.insert(all.end(), judge.begin(), judge.end());
  expect_refused(one, rows, {rows, "step 2 alone"});
  EXPECT_EQ(run_covrl(all).status, 0);
  EXPECT_NE(read_file(rows).find("\"verifier\":\"exact\",\"outcome\":\"correct\""),
            std::string::npos);
}

TEST_F(Inputs, RowsOfACommandDoNotReplaceItsInput) {
  const std::string prompts = write("rows.jsonl", "{\"id\":1,\"prompt\":\"a\"}\n"),
                    scored = write("ids.jsonl", "{\"id\":1,\"ids\":[1,2]}\n"),
                    texts = write("texts.jsonl", "{\"text\":\"a\"}\n"),
                    judged =
                        write("judged.jsonl", "{\"id\":1,\"gold\":\"1\",\"completion\":\"1\"}\n"),
                    asked = write("asked.jsonl", "{\"id\":1,\"op\":\"encode\",\"text\":\"a\"}\n");
  const std::string config = model_ + "/config.json";
  for (const auto& [command, input] : std::vector<std::pair<std::string, std::string>>{
           {"generate", prompts}, {"score", scored}, {"tokenize", texts}, {"probe", asked}}) {
    const Words words = {command, "--model", model_, "--input", input, "--output"};
    Words same = words, of_model = words;
    same.push_back(dir_ + "/model/../" + fs::path(input).filename().string());
    of_model.push_back(config);
    expect_refused(same, input, {"--output", input, "--input"});
    expect_refused(of_model, config, {"--output", config, "--model"});
  }
  expect_refused({"verify", "--input", judged, "--output", judged}, judged, {"--output", judged});
}

TEST_F(Inputs, ChosenRowsDoNotReplaceDataOrHistory) {
  const std::string history =
      write("run/example_accuracy.jsonl", R"({"step":1,"id":"train-0","correct":1,"counted":2})"
                                          "\n");
  for (const std::string& output : {problems_, history})
    expect_refused({"select", "--history", dir_ + "/run", "--data", problems_, "--output", output},
                   output, {"--output", output, output == history ? "--history" : "--data"});
}

TEST_F(Inputs, PagesDoNotReplaceTheFilesOfARun) {
  const std::string run = dir_ + "/run",
                    metrics = write("run/metrics.jsonl", "{\"step\":1,\"rollout/entropy\":1}\n"),
                    config = write("run/config.resolved.yaml", "a: b\n"), page = run + "/page";
  expect_refused({"report", "--run", run, "--output", metrics}, metrics, {"--output", metrics});
  expect_refused({"report", "--run", run, "--markdown", config}, config, {"--markdown", config});
  expect_refused({"report", "--run", run, "--output", page, "--markdown", page}, config, {"both"});
  expect_refused({"entropy", "--run", run, "--output", metrics}, metrics, {"--output", metrics});
  EXPECT_EQ(run_covrl({"report", "--run", run, "--output", page}).status, 0);
}

TEST_F(Inputs, ARunDoesNotReadWhatItWrites) {
  const std::string run = dir_ + "/run",
                    start = run + "/checkpoints/global_step_1/actor/huggingface",
                    samples = run + "/samples.jsonl";
  fs::create_directories(start);
  fs::copy(model_, start, fs::copy_options::recursive);
  fs::copy(problems_, samples);
  expect_refused(tiny_train_words(run, {"model.path=" + start}), start + "/config.json",
                 {"model.path", start, "trainer.run_dir"});
  expect_refused(tiny_train_words(run, {"data.train_files=[" + samples + "]"}), samples,
                 {"data.train_files", samples, "trainer.run_dir"});
  expect_refused(tiny_train_words(run, {"eval.files=[" + samples + "]"}), samples,
                 {"eval.files", samples});
  expect_refused({"sft", "--config", source_path("configs/tiny/sft.yaml"), "model.path=" + model_,
                  "data.train_files=[" + samples + "]", "trainer.run_dir=" + run},
                 samples, {"data.train_files", samples});
  EXPECT_FALSE(fs::exists(run + "/config.resolved.yaml"));
}

TEST_F(Inputs, ASweepDoesNotReplaceItsConfiguration) {
  const std::string file =
      write("root/base/seed_1.yaml", "sweep:\n  variants:\n    base:\ntrainer: {total_steps: 1}\n");
  Words words = tiny_train_words(dir_ + "/root");
  words[0] = "sweep";
  words.insert(words.begin() + 3, {"--sweep", file});
  expect_refused(words, file, {file, "--sweep"});
}

}  // namespace
}  // namespace covrl::testing
