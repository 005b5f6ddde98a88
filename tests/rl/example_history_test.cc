#include "rl/example_history.h"

#include <gtest/gtest.h>

#include "core/error.h"
#include "tests/support/paths.h"

namespace covrl {
namespace {

Trajectory completion(Outcome outcome, FinishReason reason = FinishReason::kStop) {
  Trajectory trajectory;
  trajectory.finish_reason = reason;
  trajectory.verdict.outcome = outcome;
  return trajectory;
}

Group group(const std::string& id, uint64_t slot, std::vector<Trajectory> trajectories) {
  Group result;
  result.prompt.id = id;
  result.slot = slot;
  result.trajectories = std::move(trajectories);
  return result;
}

std::string error_of(const std::string& path) {
  try {
    read_example_histories(path);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUsage);
    return error.what();
  }
  return "no error";
}

std::string file_of(const std::string& name, const std::string& text) {
  const std::string path = testing::temporary_dir("history") + "/" + name;
  write_file_atomically(path, text);
  return path;
}

const Trajectory kRight = completion(Outcome::kCorrect), kWrong = completion(Outcome::kWrong),
                 kUnparsed = completion(Outcome::kUnparsed, FinishReason::kLength),
                 kFailed = completion(Outcome::kFailed),
                 kLost = completion(Outcome::kCorrect, FinishReason::kFailed);

TEST(ExampleHistory, CopiesAreAddedUpAndFailuresAreNotCounted) {
  const std::string run = testing::temporary_dir("history");
  {
    ExampleLog log(run + "/example_accuracy.jsonl", 0);
    log.write(1, {group("b", 0, {kRight, kWrong, kFailed}), group("a", 1, {kUnparsed, kLost}),
                  group("b", 2, {kRight, kRight})});
    log.write(2, {group("a", 0, {kFailed, kLost}), group("c", 1, {kFailed})});
    log.write(3, {group("a", 0, {kRight, kWrong, kWrong, kWrong})});
  }
  EXPECT_EQ(read_file(run + "/example_accuracy.jsonl"),
            "{\"step\":1,\"id\":\"b\",\"correct\":3,\"counted\":4}\n"
            "{\"step\":1,\"id\":\"a\",\"correct\":0,\"counted\":1}\n"
            "{\"step\":2,\"id\":\"a\",\"correct\":0,\"counted\":0}\n"
            "{\"step\":2,\"id\":\"c\",\"correct\":0,\"counted\":0}\n"
            "{\"step\":3,\"id\":\"a\",\"correct\":1,\"counted\":4}\n");
  const std::vector<ExampleHistory> histories = read_example_histories(run);
  ASSERT_EQ(histories.size(), 3u);
  EXPECT_EQ(histories[0].id, "b");
  EXPECT_EQ(histories[0].accuracy, std::vector<double>{0.75});
  EXPECT_EQ(histories[1].accuracy, (std::vector<double>{0, 0.25}));
  EXPECT_TRUE(histories[2].accuracy.empty());
}

TEST(ExampleHistory, AResumedRunWritesItsStepsOnce) {
  const std::string path = testing::temporary_dir("history") + "/example_accuracy.jsonl";
  for (const int64_t resumed_at : {0, 1}) {
    ExampleLog log(path, resumed_at);
    for (int64_t step = resumed_at + 1; step <= 3; ++step)
      log.write(step, {group("a", 0, {kRight})});
  }
  EXPECT_EQ(read_example_histories(path).at(0).accuracy.size(), 3u);
}

TEST(ExampleHistory, LinesCountInOrderOfTheirSteps) {
  const std::vector<std::string> lines = {
      "{\"step\":1,\"id\":\"b\",\"correct\":1,\"counted\":4}\n",
      "{\"step\":1,\"id\":\"a\",\"correct\":0,\"counted\":4}\n",
      "{\"step\":3,\"id\":\"a\",\"correct\":2,\"counted\":4}\n",
      "{\"step\":10,\"id\":\"a\",\"correct\":4,\"counted\":4}\n"};
  for (const std::vector<size_t>& order : {std::vector<size_t>{0, 1, 2, 3}, {3, 2, 0, 1}}) {
    std::string text;
    for (const size_t line : order) text += lines[line];
    const std::vector<ExampleHistory> histories = read_example_histories(file_of("a.jsonl", text));
    ASSERT_EQ(histories.size(), 2u);
    EXPECT_EQ(histories[0].id, "b");
    EXPECT_EQ(histories[1].accuracy, (std::vector<double>{0, 0.5, 1}));
  }
}

TEST(ExampleHistory, IdsMayBeNumbersAndStepsBeLeftOut) {
  const std::vector<ExampleHistory> histories = read_example_histories(file_of(
      "a.jsonl",
      "{\"id\":7,\"correct\":1,\"counted\":4}\n{\"id\":\"7\",\"correct\":0,\"counted\":4}\n"));
  ASSERT_EQ(histories.size(), 1u);
  EXPECT_EQ(histories[0].accuracy, (std::vector<double>{0.25, 0}));
}

TEST(ExampleHistory, ThePublishedFormKeepsTheOrderOfItsKeys) {
  const std::vector<ExampleHistory> histories =
      read_example_histories(file_of("acc.json", "{\"7\": [0.0, 0.125], \"3\": [1], \"5\": []}"));
  ASSERT_EQ(histories.size(), 3u);
  EXPECT_EQ(histories[0].id, "7");
  EXPECT_EQ(histories[0].accuracy, (std::vector<double>{0, 0.125}));
  EXPECT_EQ(histories[1].id, "3");
  EXPECT_TRUE(histories[2].accuracy.empty());
}

TEST(ExampleHistory, FaultsNamePlaceAndValue) {
  const std::vector<std::pair<std::string, std::string>> faults = {
      {error_of(file_of("acc.json", "{\"7\": [0.5, 1.5]}")), "history of \"7\" holds 1.5"},
      {error_of(file_of("acc.json", "{\"7\": 1}")), "must be a list of accuracies, got number"},
      {error_of(file_of("acc.json", "[1]")), "got array"},
      {error_of(file_of("acc.json", "{}")), "holds no example"},
      {error_of(file_of("a.jsonl", "{\"id\":\"a\",\"correct\":3,\"counted\":2}\n")), "a.jsonl:1"},
      {error_of(file_of("a.jsonl", "{\"id\":\"a\",\"counted\":2}\n")), "correct"},
      {error_of(file_of("a.jsonl",
                        "{\"step\":1,\"id\":\"a\",\"correct\":0,\"counted\":2}\n"
                        "{\"step\":1,\"id\":\"a\",\"correct\":1,\"counted\":2}\n")),
       "a.jsonl:2: example 'a' has a second line of step 1"},
      {error_of(testing::temporary_dir("history")), "no example_accuracy.jsonl"}};
  for (const auto& [message, part] : faults)
    EXPECT_NE(message.find(part), std::string::npos) << message;
}

}  // namespace
}  // namespace covrl
