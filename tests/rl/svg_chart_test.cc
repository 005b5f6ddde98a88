#include "rl/report/svg_chart.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

namespace covrl {
namespace {

TEST(SvgChart, NothingToDrawDrawsNothing) {
  EXPECT_EQ(draw_chart({"t", "", Unit::kPlain, {}}), "");
  EXPECT_EQ(draw_chart({"t", "", Unit::kPlain, {{"a", {{1, std::nan("")}}}}}), "");
}

TEST(SvgChart, TextIsEscapedAndGapsStayGaps) {
  const std::string svg =
      draw_chart({"a < b",
                  "",
                  Unit::kPercent,
                  {{"x&y", {{0, 0.1}, {1, 0.2}, {2, std::nan("")}, {3, 0.4}, {4, 0.5}}}}});
  EXPECT_NE(svg.find("a &lt; b"), std::string::npos);
  EXPECT_NE(svg.find("x&amp;y"), std::string::npos);
  EXPECT_EQ(svg.find("nan"), std::string::npos);
  // Two strokes: the pen is lifted over the gap.
  const size_t path = svg.find(" d=\""), end = svg.find('"', path + 4);
  const std::string strokes = svg.substr(path + 4, end - path - 4);
  EXPECT_EQ(std::count(strokes.begin(), strokes.end(), 'M'), 2);
}

TEST(SvgChart, ASinglePointAndAConstantAreDrawable) {
  for (const Series& series : {Series{"a", {{5, 0.0}}}, Series{"b", {{0, 2.0}, {1, 2.0}}}}) {
    const std::string svg = draw_chart({"t", "", Unit::kPlain, {series}});
    EXPECT_NE(svg.find("<circle"), std::string::npos);
    EXPECT_EQ(svg.find("inf"), std::string::npos);
  }
}

TEST(SvgChart, DotsHaveNoLineAndTheirAxisAName) {
  const std::string svg =
      draw_chart({"t", "", Unit::kPlain, {{"a", {{0.1, 1}, {0.35, 2}}, Mark::kDots}}, "nats < 1"});
  EXPECT_EQ(svg.find("<path"), std::string::npos);
  EXPECT_NE(svg.find("a, nats &lt; 1 0.35: 2"), std::string::npos);
  EXPECT_NE(svg.find(">0.2</text>"), std::string::npos);  // ticks between whole numbers
}

}  // namespace
}  // namespace covrl
