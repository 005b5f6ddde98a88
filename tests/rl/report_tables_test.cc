#include "rl/report/report_tables.h"

#include <gtest/gtest.h>

#include "tests/support/paths.h"

namespace covrl {
namespace {

TEST(ReportTables, TheBestStepIsNeverTheStartAndTheLatestOfEquals) {
  const std::string dir = testing::temporary_dir("report_tables");
  std::string metrics;
  for (const auto& [step, accuracy] :
       std::vector<std::pair<int64_t, double>>{{0, 0.75}, {10, 0.5}, {20, 0.5}, {30, 0.25}})
    metrics += Json({{"step", step}, {"val-core/test/acc/greedy", accuracy}}).dump() + "\n";
  write_file_atomically(dir + "/metrics.jsonl", metrics);
  const RunData run = read_run(dir);
  const ReportTable table = accuracy_table({run});
  ASSERT_EQ(table.rows.size(), 1u);
  EXPECT_EQ(table.rows[0], (std::vector<std::string>{run.name, "test", "greedy", "75.0 %",
                                                     "25.0 % (step 30)", "50.0 % (step 20)"}));
}

}  // namespace
}  // namespace covrl
