#include "rl/report/solutions_page.h"

#include <gtest/gtest.h>

#include "core/error.h"

namespace covrl {
namespace {

Json row_of(int64_t step, const std::string& id, int64_t sample, const std::string& response) {
  return {{"step", step},         {"id", id},         {"sample", sample},
          {"response", response}, {"prompt", "how?"}, {"outcome", "correct"}};
}

std::vector<int64_t> steps_of(const std::vector<const Json*>& rows) {
  std::vector<int64_t> steps;
  for (const Json* row : rows) steps.push_back(row->at("step").get<int64_t>());
  return steps;
}

using Steps = std::vector<int64_t>;

TEST(Solutions, DifferentProblemsComeFirst) {
  std::vector<Json> rows;
  for (const int64_t step : {0, 10, 20})
    for (const char* id : {"a", "b", "c"})
      for (int64_t sample = 0; sample < 4; ++sample) {
        rows.push_back(row_of(step, id, sample, concat("says ", id, sample)));
        rows.back()["prompt"] = concat("problem ", id);
      }
  const std::string page = solutions(rows, "Title", 4);
  for (const char* shown : {"step 0 ", "step 20 ", "says a0", "says b0", "says c0", "says a1"})
    EXPECT_NE(page.find(shown), std::string::npos) << shown;
  for (const char* hidden : {"step 10 ", "says a2", "says b1"})
    EXPECT_EQ(page.find(hidden), std::string::npos) << hidden;
}

TEST(ResponsesOverTime, FirstQuartersLastAndSaturation) {
  std::vector<Json> rows;
  for (int64_t step = 1; step <= 41; ++step)
    for (int64_t sample = 0; sample < 2; ++sample) rows.push_back(row_of(step, "a", sample, "r"));
  EXPECT_EQ(steps_of(chosen_responses(rows, std::nullopt)), Steps({1, 11, 21, 31, 41}));
  EXPECT_EQ(steps_of(chosen_responses(rows, 14)), Steps({1, 11, 14, 21, 31, 41}));
  for (const Json* row : chosen_responses(rows, 14)) EXPECT_EQ(row->at("sample"), 0);
  EXPECT_TRUE(chosen_responses({}, std::nullopt).empty());
}

TEST(ResponsesOverTime, FollowsOneExampleWhereverItIsInTheStep) {
  std::vector<Json> rows;
  for (int64_t step = 1; step <= 9; ++step) {
    rows.push_back(row_of(step, "other" + std::to_string(step), 0, "x"));
    if (step % 2 == 1) rows.push_back(row_of(step, "followed", 0, "y"));
  }
  EXPECT_EQ(steps_of(chosen_responses(rows, 4)), Steps({1, 3, 5, 7, 9}));
  for (const Json* row : chosen_responses(rows, 4)) EXPECT_EQ(row->at("id"), "followed");
}

TEST(ResponsesOverTime, MarksThoseThatAreDegenerate) {
  std::string loop;
  for (int i = 0; i < 30; ++i) loop += "no ";
  std::vector<Json> rows = {row_of(1, "a", 0, "eleven"), row_of(2, "a", 0, loop)};
  std::string page = responses_over_time(rows, std::nullopt, "Title");
  EXPECT_EQ(page.find("<b>degenerate</b>"), page.rfind("<b>degenerate</b>"));
  EXPECT_GT(page.find("<b>degenerate</b>"), page.find("eleven"));
  ASSERT_NE(page.find("<b>degenerate</b>"), std::string::npos);
  rows[1]["degenerate"] = false;  // what was written counts
  page = responses_over_time(rows, std::nullopt, "Title");
  EXPECT_EQ(page.find("<b>degenerate</b>"), std::string::npos);
  rows.pop_back();
  EXPECT_EQ(responses_over_time(rows, std::nullopt, "Title"), "");
}

}  // namespace
}  // namespace covrl
