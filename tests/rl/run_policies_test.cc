// The policies of a run, of which nothing but names, manifests and a configuration is there.
#include "rl/evaluation/run_policies.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "core/jsonl.h"
#include "tests/support/fake_comm.h"
#include "tests/support/paths.h"

namespace covrl {
namespace {

namespace fs = std::filesystem;

class RunPoliciesTest : public ::testing::Test {
 protected:
  std::string model_ = testing::temporary_dir("run_policies_model");

  void SetUp() override {
    write_file_atomically(model_ + "/config.json", "{}\n");
    write_file_atomically(model_ + "/model.safetensors", "weights");
  }

  // A run folder with a configuration; `more` of section model.
  std::string make_run(const std::string& name, const std::string& more = "") const {
    const std::string dir = testing::temporary_dir(name);
    write_file_atomically(dir + "/config.resolved.yaml",
                          "model:\n  path: " + model_ + "\n" + more + "data:\n  train_files: [" +
                              testing::source_path("data/tiny/one_shot.jsonl") + "]\n");
    return dir;
  }

  // A checkpoint as its manifest tells it.
  static void add_checkpoint(const std::string& run, int64_t step, const std::string& weights,
                             const std::string& optimizer = "0") {
    const std::string dir = run + "/checkpoints/global_step_" + std::to_string(step);
    Json manifest = {{"step", step}};
    for (const auto& [name, hash] : std::vector<std::pair<std::string, std::string>>{
             {"actor/huggingface/model.safetensors", weights},
             {"actor/optimizer.safetensors", optimizer}}) {
      fs::create_directories(fs::path(dir + "/" + name).parent_path());
      write_file_atomically(dir + "/" + name, "");
      manifest["files"][name] = {{"bytes", 0}, {"xxh3", hash}};
    }
    write_file_atomically(dir + "/MANIFEST.json", manifest.dump());
  }

  static std::vector<std::string> identities(const std::string& run) {
    return read_run_policies(run, *make_self_communicator()).identities;
  }
};

TEST_F(RunPoliciesTest, ACheckpointIsKnownByItsWeights) {
  const std::string a = make_run("run_policies_a"), b = make_run("run_policies_b");
  add_checkpoint(a, 2, "abc");
  add_checkpoint(b, 2, "abc", /*optimizer=*/"1");
  EXPECT_EQ(identities(a), identities(b));
  add_checkpoint(b, 2, "abd");
  EXPECT_EQ(identities(a)[0], identities(b)[0]);
  EXPECT_NE(identities(a)[1], identities(b)[1]);
}

TEST_F(RunPoliciesTest, TheStartIsKnownByItsFilesOrItsSeed) {
  const std::string run = make_run("run_policies_start");
  const std::string random = make_run("run_policies_random", "  init: random\n");
  add_checkpoint(run, 1, "abc");
  add_checkpoint(random, 1, "abc");
  const std::string before = identities(run)[0], before_random = identities(random)[0];
  EXPECT_NE(before, before_random);
  write_file_atomically(model_ + "/README.md", "words");
  EXPECT_EQ(identities(run)[0], before);
  write_file_atomically(model_ + "/model.safetensors", "other weights");
  EXPECT_NE(identities(run)[0], before);
  EXPECT_EQ(identities(random)[0], before_random);  // which reads no weights
}

// While a run trains, ranks that look for themselves may see different checkpoints.
TEST_F(RunPoliciesTest, TheRootLooksForAll) {
  const std::string root = make_run("run_policies_root"), other = make_run("run_policies_other");
  add_checkpoint(root, 1, "abc");
  add_checkpoint(root, 2, "abd");
  testing::run_ranks(2, [&](Communicator& world) {
    const RunPolicies run = read_run_policies(world.is_root() ? root : other, world);
    EXPECT_EQ(run.steps, (std::vector<int64_t>{0, 1, 2}));
    EXPECT_EQ(run.dirs[2], root + "/checkpoints/global_step_2/actor/huggingface");
    EXPECT_EQ(run.identities.size(), 3u);
  });
}

}  // namespace
}  // namespace covrl
