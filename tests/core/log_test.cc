#include "core/log.h"

#include <gtest/gtest.h>

namespace covrl::log {
namespace {

class LogTest : public ::testing::Test {
 protected:
  void TearDown() override {
    set_rank(0);
    set_quiet(false);
  }
  template <class Action>
  static std::string printed(Action action) {
    ::testing::internal::CaptureStderr();
    action();
    return ::testing::internal::GetCapturedStderr();
  }
};

TEST_F(LogTest, EachDistinctWarningIsPrintedOnce) {
  EXPECT_EQ(printed([] {
              warning("disk nearly full");
              warning("disk nearly full");
              warning("clock skew");
            }),
            "warning: disk nearly full\nwarning: clock skew\n");
}

TEST_F(LogTest, OtherRanksPrintWarningsOnly) {
  set_rank(3);
  EXPECT_EQ(printed([] {
              info("step 1");
              progress("step 2");
              warning("lost a peer");
            }),
            "[rank 3] warning: lost a peer\n");
}

TEST_F(LogTest, QuietLeavesWarnings) {
  set_quiet(true);
  EXPECT_EQ(printed([] {
              info("step 1");
              progress("step 2");
              warning("low memory");
            }),
            "warning: low memory\n");
}

TEST_F(LogTest, ProgressIsPlainLinesWithoutATerminal) {
  if (stderr_is_terminal()) GTEST_SKIP() << "stderr of this test program is a terminal";
  EXPECT_EQ(printed([] {
              progress("step 1");
              info("note");
              progress("step 2");
              finish_progress();
            }),
            "step 1\nnote\nstep 2\n");
}

}  // namespace
}  // namespace covrl::log
