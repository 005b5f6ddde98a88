// Kinds of answers that are easily misread: a line a gold answer, what says the same, what does
// not.
#include <gtest/gtest.h>

#include "tests/verifiers/spelling_rows.h"

namespace covrl {
namespace {

using testing::expect_rows;

// What is true of every number, or says no number, is no answer.
TEST(Readings, EquationsThatSayNothing) {
  expect_rows({{"0", {"1-1=0", "f(0)=0", "0\\cdot5=0"}, {"0=0", "0=0=0", "x=x", "2x=0"}},
               {"5", {"2+3=5", "x=2+3=5"}, {"5=5", "5=5.0", "(m,n)=5", "2+3=6=5"}},
               {"5",
                {"\\text{Total}=5", "\\text{least value}=5"},
                {"\\text{not}=5", "\\text{It is not}=5", "\\text{wrong answer}=5"}}});
}

TEST(Readings, PointsAndHalfOpenIntervals) {
  expect_rows({{"(3,4]", {"3<x\\le4"}, {"x=3,y=4", "(x,y)=(3,4)"}},
               {"(2,\\frac{\\pi}{3})",
                {"r=2,\\theta=\\frac{\\pi}{3}", "(r,\\theta)=(2,\\frac\\pi3)"},
                {"\\theta=2,r=\\frac\\pi3"}},
               {"\\alpha=1,\\beta=2", {"\\beta=2,\\alpha=1", "(1,2)"}, {"\\alpha=2,\\beta=1"}}});
}

// Commas and "and" between conditions that cannot hold at once.
TEST(Readings, ConditionsThatExcludeEachOther) {
  expect_rows({{"(-\\infty,2)\\cup(3,\\infty)",
                {"x<2, x>3", "(-\\infty,2),(3,\\infty)", "x>3,\\ x<2"},
                {"x<2 \\text{ and } x>3", "x<3,x>2", "x<2", "(-\\infty,2)"}},
               {"x\\le-2 \\text{ or } x\\ge3",
                {"x\\le-2, x\\ge3", "x \\ge 3 \\text{ or } x \\le -2"},
                {"x\\le-2 \\text{ and } x\\ge3", "-2\\le x\\le3"}},
               {"(1,4),(2,3)", {"(2,3),(1,4)"}, {"(1,4)", "(1,2),(3,4)"}},
               {"[1,2],[3,4]", {"[3,4],[1,2]"}, {"[1,4]", "[1,2]"}}});
}

TEST(Readings, GroupsOfZeros) {
  expect_rows({{"154,320,000", {"154320000", "154.32\\text{ million}"}, {"154, 320, 0"}},
               {"100,200", {"100, 200", "100200"}, {"100, 20"}},
               {"7,000", {"7000"}, {"7, 0"}}});
}

TEST(Readings, Temperatures) {
  expect_rows({{"25^\\circ\\mathrm{C}",
                {"25\\text{ degrees Celsius}", "25°C", "25", "25\\text{ C}"},
                {"25\\text{ degrees Fahrenheit}", "25^\\circ F", "25\\text{ K}+1"}}});
  EXPECT_EQ(compare_answers("25^\\circ\\mathrm{C}", "25^\\circ", {}), Outcome::kCorrect);
  EXPECT_EQ(compare_answers("90^\\circ", "90^\\circ C", {}), Outcome::kWrong);
}

TEST(Readings, Moduli) {
  expect_rows({{"3\\pmod{7}", {"3\\bmod7", "10\\pmod7"}, {"3\\pmod8", "4\\pmod7"}}});
}

TEST(Readings, SignsOfSeveralNames) {
  expect_rows(
      {{"|x-2|",
        {"\\lvert x-2\\rvert", "\\left\\lvert x-2\\right\\rvert", "\\vert 2-x\\vert"},
        {"x-2", "\\lvert x\\rvert-2"}},
       {"(0,1)\\cup(2,3)", {"(0,1)\\bigcup(2,3)", "(2,3)∪(0,1)"}, {"(0,1)\\bigcap(2,3)"}},
       {"\\langle1,2\\rangle", {"⟨1,2⟩"}, {"⟨2,1⟩"}},
       {"a_1+a_2", {"a₁+a₂", "a_{1}+a_{2}"}, {"a₁+a₃", "a¹+a²"}},
       {"\\sqrt[3]{2}", {"∛2", "2^{1/3}"}, {"√2", "∛3"}},
       {"50", {"₹50", "\\huge 50", "\\mathdollar 50", "50\\ \\square"}, {"₹5", "\\square"}}});
}

}  // namespace
}  // namespace covrl
