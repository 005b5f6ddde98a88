// What the variants of a sweep may say, and who wins.
#include "rl/sweep/sweep_config.h"

#include <gtest/gtest.h>

#include <fstream>

#include "core/error.h"
#include "tests/support/paths.h"

namespace covrl {
namespace {

class SweepConfig : public ::testing::Test {
 protected:
  std::string dir_ = testing::temporary_dir("sweep_config");

  std::string write(const std::string& name, const std::string& text) {
    const std::string path = dir_ + "/" + name;
    std::ofstream(path) << text;
    return path;
  }

  SweepSources sources(const std::vector<std::string>& sweeps,
                       const std::vector<std::string>& overrides = {}) {
    return {{testing::source_path("configs/tiny/one_shot_grpo.yaml")}, sweeps, overrides};
  }

  void expect_refused(const SweepSources& sources, const std::vector<std::string>& parts) {
    try {
      read_sweeps(sources);
      FAIL() << "not refused: " << parts.front();
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kUsage);
      const std::string message = error.what();
      for (const std::string& part : parts)
        EXPECT_NE(message.find(part), std::string::npos) << "no '" << part << "': " << message;
    }
  }
};

TEST_F(SweepConfig, KeysOfAVariantThatWouldHaveNoEffectAreRefused) {
  const std::string set = write("set.yaml",
                                "sweep:\n  variants:\n    a: {set: [trainer.seed=7]}\n"
                                "    b: {set: [sweep.jobs=3]}\n");
  expect_refused(sources({set}),
                 {set + ":3:5: variant a: override 'trainer.seed=7': trainer.seed: ", "sweep.seeds",
                  set + ":4:5: variant b: override 'sweep.jobs=3': sweep.jobs: "});
  const std::string file =
      write("file.yaml", "trainer:\n  seed: 7\nsweep:\n  seeds: [4]\n  title: x\n");
  const std::string config =
      write("config.yaml", "sweep:\n  variants:\n    a: {config: [" + file + "]}\n");
  expect_refused(sources({config}), {file + ":4:3: sweep.seeds: ", file + ":5:3: sweep.title: "});
  // A preset has a folder of its own.
  const std::string preset = write("preset.yaml", "trainer: {run_dir: elsewhere}\n");
  const std::string laid =
      write("laid.yaml", "sweep:\n  variants:\n    a: {config: [" + preset + "]}\n");
  EXPECT_EQ(read_sweeps(sources({laid}, {"trainer.run_dir=here"}))[0].runs[0].dir, "here/a/seed_1");
}

TEST_F(SweepConfig, PresetsWithASeedAreVariantsAndTheSweepSaysWhoseSeedsCount) {
  const std::string pi1 = testing::source_path("configs/one_shot/qwen2.5-math-1.5b-pi1.yaml"),
                    pi13 = testing::source_path("configs/one_shot/qwen2.5-math-1.5b-pi13.yaml");
  const std::string file =
      write("presets.yaml", "sweep:\n  seeds: [4, 5]\n  variants:\n    pi1:\n" +
                                ("    pi13: {config: [" + pi13) + "]}\n");
  const Sweep sweep = read_sweeps({{pi1}, {file}, {"trainer.run_dir=here"}})[0];
  ASSERT_EQ(sweep.runs.size(), 4u);
  for (size_t i = 0; i < 4; ++i) {
    const int64_t seed = i % 2 == 0 ? 4 : 5;
    EXPECT_EQ(sweep.runs[i].seed, seed);
    EXPECT_NE(sweep.runs[i].yaml.find("\n  seed: " + std::to_string(seed) + "\n"),
              std::string::npos);
  }
  ASSERT_EQ(sweep.notes.size(), 2u);
  for (size_t i = 0; i < 2; ++i) {
    EXPECT_TRUE(sweep.notes[i].starts_with((i == 0 ? pi1 : pi13) + ":")) << sweep.notes[i];
    EXPECT_NE(sweep.notes[i].find("sweep.seeds, 4, 5"), std::string::npos) << sweep.notes[i];
  }
  EXPECT_TRUE(
      read_sweeps(sources({write("none.yaml", "sweep:\n  variants:\n    a:\n")}))[0].notes.empty());
}

TEST_F(SweepConfig, AnOverrideOfWhatAVariantSetsIsRefused) {
  const std::string file = write("file.yaml", "rollout:\n  top_p: 0.9\n");
  const std::string sweep = write("sweep.yaml",
                                  "sweep:\n  variants:\n    a: {set: [rollout.temperature=0.5]}\n"
                                  "    b: {config: [" +
                                      file + "]}\n");
  expect_refused(sources({sweep}, {"rollout.temperature=0.7", "rollout.top_p=0.8"}),
                 {sweep + ":3:5: variant a: override 'rollout.temperature=0.5': "
                          "rollout.temperature: the command line sets it again "
                          "(override 'rollout.temperature=0.7')",
                  file + ":2:3: rollout.top_p: ", "(override 'rollout.top_p=0.8')"});
  expect_refused(sources({sweep}, {"trainer.seed=3"}), {"'trainer.seed=3'", "sweep.seeds"});
  const Sweep read =
      read_sweeps(sources({sweep}, {"sweep.jobs=1", "rollout.top_k=5", "trainer.run_dir=x"}))[0];
  EXPECT_EQ(read.overrides, std::vector<std::string>{"rollout.top_k=5"});
}

TEST_F(SweepConfig, SweepsOfOneQueueDivideTheCoresByTheSameJobs) {
  const std::string one = write("one.yaml", "sweep:\n  name: one\n  variants:\n    a:\n");
  const std::string many =
      write("many.yaml", "sweep:\n  name: many\n  jobs: 1000\n  variants:\n    b:\n");
  const std::vector<Sweep> sweeps = read_sweeps(sources({one, many}));
  ASSERT_EQ(sweeps.size(), 2u);
  for (const Sweep& sweep : sweeps) {
    EXPECT_EQ(sweep.section.jobs, 1000);
    EXPECT_NE(sweep.runs[0].yaml.find("num_threads: 1\n"), std::string::npos);
  }
}

}  // namespace
}  // namespace covrl
