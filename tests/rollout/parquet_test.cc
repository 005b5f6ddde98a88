#include "rollout/parquet.h"

#include <gtest/gtest.h>

#include <vector>

#include "core/error.h"
#include "tests/support/paths.h"

namespace covrl {
namespace {

std::string error_of(const std::string& path) {
  try {
    read_parquet(path, -1, [](int64_t, const Json&) {});
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUsage);
    return error.what();
  }
  return "no error";
}

TEST(Parquet, RowsAreObjectsOfTheFilesColumns) {
  const std::string path = testing::reference_path("data/oneshot/pi1_r128.parquet");
  COVRL_REQUIRE_REFERENCE(path);
  std::vector<Json> rows;
  read_parquet(path, -1, [&](int64_t number, const Json& row) {
    EXPECT_EQ(number, static_cast<int64_t>(rows.size()));
    rows.push_back(row);
  });
  ASSERT_EQ(rows.size(), 128u);
  EXPECT_EQ(rows[0], rows[127]);
  EXPECT_EQ(rows[0].at("data_source"), "deepscaler");
  EXPECT_EQ(rows[0].at("prompt").at(0).at("role"), "user");
  EXPECT_EQ(rows[0].at("reward_model").at("ground_truth"), "12.8");
  EXPECT_TRUE(rows[0].at("extra_info").at("index").is_number_integer());
}

TEST(Parquet, LimitStopsReading) {
  const std::string path = testing::reference_path("data/oneshot/pi1_r128.parquet");
  COVRL_REQUIRE_REFERENCE(path);
  int64_t num_rows = 0;
  read_parquet(path, 3, [&](int64_t, const Json&) { ++num_rows; });
  EXPECT_EQ(num_rows, 3);
}

TEST(Parquet, BrokenFilesAreNamed) {
  const std::string path = testing::reference_path("data/oneshot/pi1_r128.parquet");
  COVRL_REQUIRE_REFERENCE(path);
  const std::string whole = read_file(path), dir = testing::temporary_dir("parquet");
  for (const size_t size : {size_t{0}, size_t{3}, whole.size() / 2, whole.size() - 1}) {
    write_file_atomically(dir + "/cut.parquet", whole.substr(0, size));
    const std::string message = error_of(dir + "/cut.parquet");
    EXPECT_NE(message.find("cut.parquet: not a complete parquet file"), std::string::npos)
        << message;
  }
  write_file_atomically(dir + "/text.parquet", "{\"prompt\": \"this is no parquet file\"}\n");
  EXPECT_NE(error_of(dir + "/text.parquet").find("text.parquet"), std::string::npos);
  EXPECT_NE(error_of(dir + "/absent.parquet").find("no such file"), std::string::npos);
}

}  // namespace
}  // namespace covrl
