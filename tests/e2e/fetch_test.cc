// The scripts that bring models and data, against a folder in place of the network.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "core/jsonl.h"
#include "tests/support/paths.h"
#include "tests/support/run_program.h"

namespace covrl::testing {
namespace {

namespace fs = std::filesystem;

class Fetch : public ::testing::Test {
 protected:
  std::string dir_ = temporary_dir("fetch");
  std::string server_ = dir_ + "/server";

  void SetUp() override {
    if (run_program({"curl", "--version"}).status != 0) GTEST_SKIP() << "curl is not installed";
  }

  ProgramResult run(const std::string& script, const std::string& word) {
    const std::string address = "file://" + server_;
    return run_program({"env", "COVRL_HUB=" + address, "COVRL_GITHUB=" + address,
                        "COVRL_MODELS=" + dir_ + "/models", "COVRL_DATA=" + dir_ + "/data", "bash",
                        source_path("scripts/" + script), word});
  }
};

TEST_F(Fetch, ModelArrivesWhole) {
  const std::string published = server_ + "/Qwen/Qwen2.5-Tiny/resolve/main";
  fs::create_directories(published);
  fs::copy(source_path("data/tiny/model"), published);
  const ProgramResult result = run("fetch_model.sh", "Qwen2.5-Tiny");
  ASSERT_EQ(result.status, 0) << result.err;
  for (const auto& entry : fs::directory_iterator(published)) {
    const std::string name = entry.path().filename().string();
    EXPECT_EQ(read_file(dir_ + "/models/Qwen2.5-Tiny/" + name), read_file(entry.path().string()));
  }
}

TEST_F(Fetch, NoNetworkIsSaidAsSuch) {
  for (const auto& [script, word] :
       {std::pair<std::string, std::string>{"fetch_model.sh", "Qwen2.5-7B"},
        {"fetch_data.sh", "one_shot"}}) {
    const ProgramResult result = run(script, word);
    EXPECT_EQ(result.status, 1);
    EXPECT_NE(result.err.find("is the network there"), std::string::npos) << result.err;
  }
}

TEST_F(Fetch, UnknownNamesAreRefused) {
  for (const std::string script : {"fetch_model.sh", "fetch_data.sh"})
    EXPECT_EQ(run(script, "nothing-like-it").status, 2);
}

TEST_F(Fetch, OtherContentThanPublishedIsRefused) {
  const std::string folder = server_ +
                             "/ypwang61/One-Shot-RLVR/21ed529ec90002597c92aee957af1dd8166bb66c"
                             "/data/train/one_shot_rlvr";
  fs::create_directories(folder);
  const std::string real = reference_path("data/oneshot/pi1_r128.parquet");
  COVRL_REQUIRE_REFERENCE(real);
  fs::copy_file(real, folder + "/pi1_r128.parquet");
  std::ofstream(folder + "/pi2_r128.parquet") << "something else";
  const ProgramResult result = run("fetch_data.sh", "one_shot");
  EXPECT_EQ(result.status, 1);
  EXPECT_NE(result.err.find("pi2_r128.parquet is not the file"), std::string::npos) << result.err;
  EXPECT_EQ(read_file(dir_ + "/data/one_shot/pi1_r128.parquet"), read_file(real));
  EXPECT_FALSE(fs::exists(dir_ + "/data/one_shot/pi2_r128.parquet"));
}

TEST_F(Fetch, WholeParquetFilesOfTheHubAreTaken) {
  const std::string folder = server_ + "/datasets/allenai/ai2_arc/resolve/main";
  fs::create_directories(folder + "/ARC-Easy");
  fs::create_directories(folder + "/ARC-Challenge");
  std::ofstream(folder + "/ARC-Easy/test-00000-of-00001.parquet") << "PAR1 a stand-in PAR1";
  std::ofstream(folder + "/ARC-Challenge/test-00000-of-00001.parquet") << "PAR1 cut";
  const ProgramResult result = run("fetch_data.sh", "arc");
  EXPECT_EQ(result.status, 1);
  EXPECT_NE(result.err.find("arc_challenge.parquet.part is not a whole parquet file"),
            std::string::npos)
      << result.err;
  EXPECT_EQ(read_file(dir_ + "/data/arc/arc_easy.parquet"), "PAR1 a stand-in PAR1");
  EXPECT_FALSE(fs::exists(dir_ + "/data/arc/arc_challenge.parquet"));
}

}  // namespace
}  // namespace covrl::testing
