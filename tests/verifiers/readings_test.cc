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

TEST(Readings, UnitsOfPhysics) {
  expect_rows(
      {{"50",
        {"50\\ \\mathrm{m\\,s^{-1}}", "50\\,\\mathrm{m/s^2}",
         "50\\ \\mathrm{J\\,mol^{-1}\\,K^{-1}}", "50~\\mathrm{m^2}", "50\\,\\Omega",
         "50\\,\\mathrm{k\\Omega}", "50\\ \\text{k}\\Omega", "50\\,\\mu\\text{F}",
         "50\\ \\mathrm{\\AA}", "50\\text{ light-years}", "50\\text{ bales of hay}",
         "50\\text{ rev/min}", "50 m³", "\\text{Rs }50", "50\\text{ sec}"},
        {"50\\mu", "50\\sigma", "50\\mathrm{x}", "50\\mathrm{e}", "5\\,\\Omega", "50m^2n",
         "50\\text{ of six}"}},
       {"9.8\\text{ m/s}^2",
        {"9.8\\,\\mathrm{m/s^2}", "9.8", "9.8\\text{ meters per second squared}",
         "9.8\\ \\mathrm{m \\cdot s^{-2}}"},
        {"9.8\\text{ cm}", "9.8\\text{ m/s}", "9.8\\text{ cm/s}^2"}},
       {"60\\text{ mph}", {"60\\text{ miles per hour}", "60\\text{ mi/h}"}, {"60\\text{ km/h}"}}});
}

TEST(Readings, Angles) {
  expect_rows({{"30^\\circ15'",
                {"30.25^\\circ", "30°15′", "30^{\\circ}15^{\\prime}"},
                {"30^\\circ16'", "30^\\circ", "30.15^\\circ"}},
               {"10^\\circ20'30''", {"10^\\circ 20^\\prime 30^{\\prime\\prime}"}, {"10^\\circ20'"}},
               {"36^\\circ", {"36^{o}", "36^{\\mathrm{o}}", "36^o"}, {"36^{0}", "36o"}},
               {"i",
                {"\\operatorname{cis}\\frac{\\pi}{2}", "\\text{cis }90^\\circ"},
                {"\\operatorname{cis}\\pi"}},
               {"3i", {"3\\text{i}", "3\\imath"}, {"3\\text{ j}", "3"}}});
}

TEST(Readings, PlainWriting) {
  expect_rows({{"\\pm2", {"+/-2", "+/- 2"}, {"+2"}},
               {"20\\%", {"20\\text{ per cent}", "20 per cent"}, {"20\\text{ per century}"}},
               {"3.14", {"\\approx 3.14", "≈3.14"}, {"\\approx3", "\\pi"}},
               {"3:7", {"3 to 7"}, {"7 to 3", "37"}},
               {"(0,1)\\cup(2,3)", {"(0,1) U (2,3)"}, {"(0,1) U (2,4)"}},
               {"(1-e^{-t})U(t)", {"U(t)-U(t)e^{-t}"}, {"1-e^{-t}"}},
               {"5",
                {"Answer: 5", "\\text{Area: }5", "\\begin{aligned}5\\end{aligned}"},
                {"Not: 5", "\\text{at most: }5", "x:5", "\\text{wrong: }5",
                 "\\begin{aligned}5\\\\6\\end{aligned}"}},
               {"\\text{ellipse}", {"\\text{an ellipse}"}, {"\\text{not an ellipse}"}},
               {"\\emptyset",
                {"\\text{no real solutions}", "\\text{empty set}"},
                {"\\text{one solution}", "0"}},
               {"MR=SRMC",
                {"\\text{MR}=\\text{SRMC}"},
                {"\\text{MR}=\\text{SRAC}", "\\text{MR}>\\text{SRMC}"}}});
}

TEST(Readings, LettersAndNumbersSideBySide) {
  expect_rows({{"\\frac{t}{RC}", {"t/RC", "t/(RC)"}, {"tC/R", "t/R C"}},
               {"\\frac12x", {"1/2x"}, {"1/(2x)"}},
               {"2 (3e - 5)", {"6e-10", "2(3e-5)"}, {"6e-11", "6\\times10^{-10}", "6e^{-10}"}},
               {"\\log_2 3", {"\\log_23"}, {"\\log_{23}", "\\log_32"}},
               {"10", {"C_5^2", "{}_5C_2", "^5C_2"}, {"C_5", "C_2^5"}},
               {"C_1^2", {"C_1C_1"}, {"1", "2"}},
               {"\\binom{2n}{n}", {"C(2n,n)", "_{2n}C_n"}, {"C(n,2n)"}}});
}

// A sum or a function that is asked for may be named with its value; the gold's own equation says
// more than its right side.
TEST(Readings, QuantitiesAskedFor) {
  expect_rows({{"5",
                {"m+n=5", "m+n=2+3=5", "100a+10b+c=5", "ab=5", "AB+BC=5", "f(1)+f(2)=5",
                 "\\frac mn=5", "\\lim_{x\\to0}f(x)=5", "P(X=1)=5", "P(A\\cap B)=5",
                 "\\mathrm{Var}(X)=5", "\\text{Area}(ABC)=5"},
                {"m+n=6", "m+n\\ge5", "x+1=5", "x^2+x=5", "2x+3y=5", "m+n=5x", "m=5,n=6,m+n=11",
                 "m+n=4=5", "not=5"}},
               {"0", {"x=0"}, {"x+y=0", "ab=0", "3x-4y-1=0"}},
               {"(1,2)", {"A(1,2)", "A=(1,2)"}, {"A(2,1)"}},
               {"A(1,2)", {"(1,2)"}, {"B(1,2)"}},
               {"m\\le\\sqrt{\\frac{12}{n}}",
                {"m\\le\\frac{2\\sqrt3}{\\sqrt n}"},
                {"m\\ge\\frac{2\\sqrt3}{\\sqrt n}"}}});
  EXPECT_EQ(compare_answers("m+n=5", "5", {}), Outcome::kWrong);
}

TEST(Readings, DefinitionsInAnotherLetter) {
  expect_rows({{"f(n)=2n+1007",
                {"f(x)=2x+1007", "f(x)=1007+2x"},
                {"f(x)=2n+1007", "g(x)=2x+1007", "f(x)=2x", "f(x)=2x+1007n"}},
               {"f(x)=ax", {"f(t)=at"}, {"f(a)=ax", "f(a)=xa"}}});
}

TEST(Readings, ReasonsBehindAnAnswer) {
  const auto accepted = [](const char* response, const char* gold) {
    return judge_math(response, gold, {}).outcome == Outcome::kCorrect;
  };
  for (const char* response :
       {"The answer is 5 (since 5 > 4).", "The answer is 5 because 6 is even."})
    EXPECT_TRUE(accepted(response, "5")) << response;
  EXPECT_FALSE(accepted("The answer is 6 because 5 fails.", "5"));
  EXPECT_TRUE(accepted("The correct option is C.", "\\text{(C)}"));
  EXPECT_FALSE(accepted("The correct option is D, not C.", "\\text{(C)}"));
}

}  // namespace
}  // namespace covrl
