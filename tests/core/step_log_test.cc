#include "core/step_log.h"

#include <gtest/gtest.h>

#include "core/error.h"
#include "tests/support/paths.h"

namespace covrl {
namespace {

TEST(StepLogTest, MayBeCutOffInItsLastLine) {
  const std::string path = testing::temporary_dir("step_log") + "/log.jsonl";
  const auto lines = [&](const std::string& text) {
    write_file_atomically(path, text);
    int64_t count = 0;
    read_log(path, [&](int64_t, const Json&) { ++count; });
    return count;
  };
  EXPECT_EQ(lines("{\"a\":1}\n{\"a\":2}\n"), 2);
  EXPECT_EQ(lines("{\"a\":1}\n{\"a\":2}"), 2);  // whole, but for its newline
  for (const char* cut : {"{", "{\"a\"", "{\"a\":\"b", "{\"a\":2"})
    EXPECT_EQ(lines(std::string("{\"a\":1}\n") + cut), 1) << cut;
  EXPECT_THROW(lines("{\"a\n{\"a\":2}\n"), Error);  // not the last
  EXPECT_THROW(lines("{\"a\n"), Error);             // not cut off
}

}  // namespace
}  // namespace covrl
