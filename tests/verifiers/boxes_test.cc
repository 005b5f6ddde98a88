#include "verifiers/boxes.h"

#include <gtest/gtest.h>

#include <string>

namespace covrl {
namespace {

std::string last_content(const BoxScan& scan) {
  return scan.boxes.empty() ? "none" : std::string(scan.boxes.back().content);
}

TEST(Boxes, NestedBracesBelongToTheBox) {
  EXPECT_EQ(last_content(find_boxes("so \\boxed{\\frac{1}{2}} end")), "\\frac{1}{2}");
  EXPECT_EQ(last_content(find_boxes("\\fbox {7}")), "7");
}

TEST(Boxes, EscapedBracesDoNotCount) {
  EXPECT_EQ(last_content(find_boxes("\\boxed{\\{1,2\\}}")), "\\{1,2\\}");
  EXPECT_EQ(last_content(find_boxes("\\boxed{a\\}b}")), "a\\}b");
}

TEST(Boxes, OutermostOfNestedBoxesIsReported) {
  const BoxScan scan = find_boxes("\\boxed{\\boxed{5}}");
  ASSERT_EQ(scan.boxes.size(), 1u);
  EXPECT_EQ(last_content(scan), "\\boxed{5}");
  EXPECT_TRUE(scan.last_is_complete);
}

TEST(Boxes, LaterBoxWithoutEndMakesTheScanIncomplete) {
  EXPECT_FALSE(find_boxes("\\boxed{1} and \\boxed{2").last_is_complete);
  EXPECT_FALSE(find_boxes("\\boxed{1} \\boxed").last_is_complete);
  EXPECT_TRUE(find_boxes("\\boxed{1 then \\boxed{2}").last_is_complete);
}

TEST(Boxes, LongerCommandNamesAreOtherCommands) {
  const BoxScan scan = find_boxes("\\boxedness{3}");
  EXPECT_TRUE(scan.boxes.empty());
  EXPECT_TRUE(scan.last_is_complete);
}

}  // namespace
}  // namespace covrl
