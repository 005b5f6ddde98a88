#include "rl/run_dir.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "core/error.h"
#include "tests/support/paths.h"

namespace covrl {
namespace {

namespace fs = std::filesystem;

TEST(RunDirTest, IsMadeAndWrittenByOneAtATime) {
  const std::string path = testing::temporary_dir("run_dir") + "/a/b";
  RunDir first = open_run_dir(path);
  EXPECT_TRUE(fs::is_directory(path));
  try {
    open_run_dir(path);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUsage);
    EXPECT_NE(std::string(error.what()).find("another process"), std::string::npos);
  }
  std::ofstream(path + "/metrics.jsonl") << "{}\n";
  EXPECT_THROW(move_aside(path), Error);
  EXPECT_TRUE(first.holds_run());
  first = RunDir{};
  EXPECT_EQ(move_aside(path), path + ".1");
  EXPECT_NO_THROW(open_run_dir(path));
}

TEST(RunDirTest, FileInTheWayIsNamed) {
  const std::string path = testing::temporary_dir("run_dir") + "/file";
  std::ofstream(path) << "x";
  EXPECT_THROW(open_run_dir(path), Error);
}

}  // namespace
}  // namespace covrl
