#include "rl/resume_diff.h"

#include <gtest/gtest.h>

#include "core/error.h"

namespace covrl {
namespace {

constexpr const char* kOld =
    "actor:\n  optim:\n    lr: 1e-05\ntrainer:\n  total_steps: 10\n  seed: 1\ndata:\n  "
    "train_files:\n    - a\n    - b\n";

std::string refusal(const std::string& changed) {
  try {
    check_resume_config(kOld, changed, "global_step_3", /*allowed=*/false);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUsage);
    return error.what();
  }
  return "";
}

std::string replaced(const std::string& from, const std::string& to) {
  std::string text = kOld;
  return text.replace(text.find(from), from.size(), to);
}

TEST(ResumeDiff, UnchangedAndHarmlessChangesPass) {
  EXPECT_EQ(refusal(kOld), "");
  EXPECT_EQ(refusal(replaced("total_steps: 10", "total_steps: 20")), "");
}

TEST(ResumeDiff, AKeyTheOldProgramDidNotHaveMayKeepItsDefault) {
  EXPECT_EQ(refusal(std::string(kOld) + "model:\n  init: checkpoint\n"), "");
  EXPECT_NE(refusal(std::string(kOld) + "model:\n  init: random\n")
                .find("model.init: (absent) -> random"),
            std::string::npos);
}

TEST(ResumeDiff, AKeyThatAltersTheMathsIsNamedWithBothValues) {
  const std::string message = refusal(replaced("lr: 1e-05", "lr: 3e-05"));
  EXPECT_NE(message.find("actor.optim.lr: 1e-05 -> 3e-05"), std::string::npos) << message;
  EXPECT_NE(message.find("global_step_3"), std::string::npos) << message;
  EXPECT_NE(refusal(replaced("    - b", "    - c")).find("data.train_files"), std::string::npos);
  EXPECT_NE(refusal(replaced("  seed: 1\n", "")).find("trainer.seed: 1 -> (absent)"),
            std::string::npos);
}

TEST(ResumeDiff, ConsentLetsItPass) {
  EXPECT_NO_THROW(check_resume_config(kOld, replaced("lr: 1e-05", "lr: 3e-05"), "global_step_3",
                                      /*allowed=*/true));
}

TEST(ResumeDiff, ChangesHaveKeyAndBothValues) {
  const auto changes = config_changes(kOld, replaced("total_steps: 10", "total_steps: 20"));
  ASSERT_EQ(changes.size(), 1u);
  EXPECT_EQ(changes[0].key, "trainer.total_steps");
  EXPECT_EQ(changes[0].before, "10");
  EXPECT_EQ(changes[0].after, "20");
}

}  // namespace
}  // namespace covrl
