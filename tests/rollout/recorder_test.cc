#include "rollout/recorder.h"

#include <gtest/gtest.h>

#include <vector>

#include "core/error.h"
#include "core/jsonl.h"
#include "tests/support/paths.h"

namespace covrl {
namespace {

std::vector<Group> two_groups() {
  std::vector<Group> groups(2);
  for (size_t g = 0; g < groups.size(); ++g) {
    groups[g].prompt.id = "p" + std::to_string(g);
    groups[g].prompt.index = static_cast<int64_t>(10 + g);
    groups[g].prompt.messages = {{"system", "s"}, {"user", "question"}};
    groups[g].prompt.gold = "4";
    groups[g].trajectories.resize(2);
    for (Trajectory& trajectory : groups[g].trajectories) {
      trajectory.tokens = {1, 2};
      trajectory.entropy = {0.5f, 1.0f};
      trajectory.finish_reason = FinishReason::kStop;
      trajectory.weight_version = 3;
      trajectory.text = "so \\boxed{4}";
      trajectory.verdict = {Outcome::kCorrect, 1, "4", 0};
      trajectory.reward = 1;
    }
  }
  return groups;
}

std::vector<Json> rows_of(const std::string& path) {
  std::vector<Json> rows;
  read_jsonl(path, [&](int64_t, const Json& row) { rows.push_back(row); });
  return rows;
}

TEST(Recorder, ALineASample) {
  const std::string path = testing::temporary_dir("recorder") + "/samples.jsonl";
  Recorder recorder(path, 0);
  std::vector<Group> groups = two_groups();
  groups[1].trajectories[0].tokens.assign(20, 7);
  groups[1].trajectories[1] = {};  // failed
  recorder.write(5, groups, -1);
  const std::vector<Json> rows = rows_of(path);  // flushed: readable while the recorder lives
  ASSERT_EQ(rows.size(), 4u);
  EXPECT_EQ(rows[1].dump(),
            "{\"step\":5,\"id\":\"p0\",\"index\":10,\"sample\":1,\"prompt\":\"question\","
            "\"response\":\"so \\\\boxed{4}\","
            "\"gold\":\"4\",\"extracted\":\"4\",\"outcome\":\"correct\",\"reward\":1.0,\"finish_"
            "reason\":\"stop\","
            "\"num_tokens\":2,\"mean_entropy\":0.75,\"degenerate\":false,\"weight_version\":3}");
  EXPECT_TRUE(rows[2].at("degenerate").get<bool>());
  EXPECT_TRUE(rows[3].at("reward").is_null());
  EXPECT_TRUE(rows[3].at("mean_entropy").is_null());
  EXPECT_EQ(rows[3].at("outcome"), "failed");
}

TEST(Recorder, LimitTakesTheFirst) {
  const std::string path = testing::temporary_dir("recorder") + "/samples.jsonl";
  Recorder recorder(path, 0);
  recorder.write(1, two_groups(), 3);
  recorder.write(2, two_groups(), 0);
  EXPECT_EQ(rows_of(path).size(), 3u);
}

TEST(Recorder, OneExampleMayBeFollowed) {
  const std::string path = testing::temporary_dir("recorder") + "/samples.jsonl";
  Recorder recorder(path, 0);
  recorder.write(1, two_groups(), 3, "p1");
  recorder.write(2, two_groups(), 1, "elsewhere");
  std::vector<std::string> ids;
  for (const Json& row : rows_of(path)) ids.push_back(row.at("id"));
  EXPECT_EQ(ids, std::vector<std::string>({"p1", "p1", "p0", "p0"}));
}

TEST(Recorder, ResumeDropsLaterStepsAndATornLine) {
  const std::string path = testing::temporary_dir("recorder") + "/samples.jsonl";
  {
    Recorder recorder(path, 0);
    for (int64_t step = 1; step <= 3; ++step) recorder.write(step, two_groups(), 1);
  }
  write_file_atomically(path, read_file(path) + "{\"step\":2,\"id\":\"to");
  Recorder recorder(path, 2);
  recorder.write(3, two_groups(), 2);
  std::vector<int64_t> steps;
  for (const Json& row : rows_of(path)) steps.push_back(row.at("step"));
  EXPECT_EQ(steps, std::vector<int64_t>({1, 2, 3, 3}));
}

TEST(Recorder, AFolderThatIsNotThereIsNamed) {
  EXPECT_THROW(Recorder(testing::temporary_dir("recorder") + "/absent/samples.jsonl", 0), Error);
}

}  // namespace
}  // namespace covrl
