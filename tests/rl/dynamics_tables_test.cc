#include "rl/report/dynamics_tables.h"

#include <gtest/gtest.h>

#include "core/error.h"
#include "rl/alarms.h"
#include "rl/report/report.h"
#include "tests/support/paths.h"

namespace covrl {
namespace {

// Twelve steps, all training responses right from step 3 on; evaluated at 4, 8 and 12.
std::string run_folder(const std::string& name) {
  const std::string dir = testing::temporary_dir(name);
  std::string metrics, samples;
  for (int step = 1; step <= 12; ++step) {
    Json row = {{"step", step},
                {"verifier/correct", step < 3 ? 4 : 8},
                {"verifier/wrong", step < 3 ? 4 : 0},
                {"verifier/unparsed", 0},
                {"rollout/entropy", 0.5 / step},
                {"rollout/degenerate", step > 10 ? 0.5 : 0.0},
                {"response_length/mean", 30 + step}};
    if (step % 4 == 0) row["val-core/test/acc/mean@4"] = 0.5 + step / 100.0;
    if (step % 4 == 0) row["val-aux/test/degenerate"] = step / 100.0;
    metrics += row.dump() + "\n";
    for (int sample = 0; sample < 2; ++sample) {
      const Json response = {{"step", step},
                             {"id", "train-0"},
                             {"sample", sample},
                             {"response", concat("answer ", step, " of sample ", sample)},
                             {"degenerate", step == 12}};
      samples += response.dump() + "\n";
    }
  }
  const Alarm alarm{"entropy_floor", 9, 0.055, 0.06};
  write_file_atomically(dir + "/metrics.jsonl", metrics);
  write_file_atomically(dir + "/samples.jsonl", samples);
  write_file_atomically(dir + "/alarms.jsonl", alarm_row(alarm, "rollback").dump() + "\n" +
                                                   rollback_row(alarm, 3, 9).dump() + "\n");
  return dir;
}

TEST(DynamicsTables, AfterSaturation) {
  const RunData run = read_run(run_folder("dynamics"));
  EXPECT_EQ(saturated_since(run, 0.99), 7);
  const ReportTable table = saturation_table({run}, 0.99);
  ASSERT_EQ(table.rows.size(), 6u);
  EXPECT_EQ(table.rows[0],
            std::vector<std::string>({run.name, "step 7", "test, mean@4", "54.0 % (step 4)",
                                      "62.0 % (step 12)", "+8.0 points", "62.0 % (step 12)"}));
  EXPECT_EQ(table.rows[1][2], "training accuracy");
  EXPECT_EQ(table.rows[1][5], "+0.0 points");
  EXPECT_EQ(table.rows[3][2], "response length, tokens");
  EXPECT_EQ(table.rows[3][5], "+5");
  EXPECT_EQ(table.rows[4][2], "degenerate responses, in training");
  EXPECT_EQ(table.rows[4][4], "50.0 % (step 12)");
  EXPECT_EQ(table.rows[5][2], "degenerate responses, test");
  EXPECT_EQ(table.rows[5][3], "4.0 % (step 4)");
  // What never reaches the accuracy has no rows.
  EXPECT_TRUE(saturation_table({run}, /*accuracy=*/1.01).rows.empty());
}

TEST(DynamicsTables, Alarms) {
  const RunData run = read_run(run_folder("dynamics"));
  const ReportTable table = alarm_table({run});
  ASSERT_EQ(table.rows.size(), 2u);
  EXPECT_EQ(table.rows[0], std::vector<std::string>({run.name, "9", "entropy_floor", "0.055",
                                                     "0.06", "rang; action rollback"}));
  EXPECT_EQ(table.rows[1][1], "3");
  EXPECT_EQ(table.rows[1][5], "rolled back; steps given up: [4,9]");
}

TEST(DynamicsTables, AreOnThePage) {
  const std::string dir = run_folder("dynamics");
  write_report({dir}, dir + "/report.html");
  const std::string page = read_file(dir + "/report.html");
  for (const char* part :
       {"After saturation", "Alarms", "Degenerate responses.", "training rollouts",
        "class=\"marker\"", "is saturated since step 7", "over time", "<b>degenerate</b>"})
    EXPECT_NE(page.find(part), std::string::npos) << part;
  EXPECT_NE(report_markdown({dir}).find("## After saturation"), std::string::npos);
  EXPECT_EQ(report_markdown({dir}, /*saturation_accuracy=*/1.01).find("## After saturation"),
            std::string::npos);
}

}  // namespace
}  // namespace covrl
