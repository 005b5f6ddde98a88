// Pairs of answers that say the same, and pairs that do not.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "verifiers/math_judge.h"

namespace covrl {
namespace {

struct Pair {
  const char* gold;
  const char* answer;
};

std::string verdict(const std::string& gold, const std::string& answer,
                    const MathPolicy& policy = {}) {
  Explanation explanation;
  const Outcome outcome = compare_answers(gold, answer, policy, &explanation);
  return std::string(outcome_name(outcome)) + ": " + gold + " | " + answer + " | " +
         explanation.gold + " | " + explanation.answer + " | " + explanation.compared + " | " +
         explanation.reason;
}

void expect_all(const std::vector<Pair>& pairs, const std::string& outcome) {
  for (const Pair& pair : pairs) {
    const std::string forward = verdict(pair.gold, pair.answer);
    EXPECT_TRUE(forward.starts_with(outcome)) << forward;
  }
}
void expect_equal(const std::vector<Pair>& pairs) { expect_all(pairs, "correct"); }
void expect_different(const std::vector<Pair>& pairs) { expect_all(pairs, "wrong"); }

void expect_different_both_ways(const std::vector<Pair>& pairs) {
  expect_different(pairs);
  for (const Pair& pair : pairs) expect_different({{pair.answer, pair.gold}});
}

// The same characters, other tokens or other groups.
TEST(Compare, BracesAndTokensCount) {
  expect_different_both_ways({{"\\sqrt{3+1}", "\\sqrt{3}+1"},
                              {"\\frac{1}{23}", "\\frac{12}{3}"},
                              {"\\frac{11}{2}", "\\frac{1}{12}"},
                              {"x^{2}y", "x^{2y}"},
                              {"2^{3+1}", "2^3+1"},
                              {"2^{100}", "2^{10}0"},
                              {"3^{12}", "3^1 2"},
                              {"\\binom{12}{3}", "\\binom{1}{23}"},
                              {"\\log_{2}{83}", "\\log_{28}{3}"},
                              {"0.1\\overline{6}", "0.16"},
                              {"0.\\overline{3}", "03"},
                              {"12", "1 2"},
                              {"\\frac{1}{2x}", "\\frac{1}{2}x"},
                              {"\\sum_{k}^{12} x 3 4", "\\sum_{k}^{1} 2 x 3 4"},
                              {"\\text{row 12}", "\\text{row 1 2}"}});
  expect_equal({{"1/0", "1/0"}, {"5 | B )", "5 | B )"}});
}

TEST(Compare, Numbers) {
  expect_equal({{"042", "42"},
                {".5", "\\frac12"},
                {"-1.25", "-\\dfrac{5}{4}"},
                {"4.5e3", "4500"},
                {"1.65 \\times 10^{-2}", "0.0165"},
                {"\\frac{3}{11}", "0.\\overline{27}"},
                {"\\frac{11}{6}", "1.8\\overline{3}"},
                {"1\\frac45", "\\frac{9}{5}"},
                {"-1\\frac45", "-\\frac{9}{5}"},
                {"6 3/4", "6.75"},
                {"{3 \\over 6}", "1/2"},
                {"12/3/2", "2"},
                {"-2^2", "-4"},
                {"(-2)^{-3}", "-\\frac18"},
                {"2004!/2003!", "2004"},
                {"1,234,567", "1234567"},
                {"1\\,234\\,567", "1 234 567"},
                {"10{,}080", "10,\\!080"},
                {"5\\text{ million}", "5000000"},
                {"2^{10}", "1024"},
                {"\\binom{10}{3}", "120"},
                {"|-7|", "7"},
                {"\\lfloor 7/2 \\rfloor", "3"},
                {"17 \\bmod 5", "2"},
                {"2^5 = 32", "32"},
                {"x**2 + 1", "x^2+1"},
                {"3²", "9"},
                {"1:2", "2:4"}});
  expect_different({{"2^{-99}", "2^{-98}"},
                    {"123456789012345678901234567890", "123456789012345678901234567891"},
                    {"2\\frac{5}{3}", "\\frac{11}{3}"},
                    {"1/0", "2/0"},
                    {"7 = -7", "-7"},
                    {"0.33", "\\frac13"},
                    {"3.14", "\\pi"},
                    {"12.7", "12.8"},
                    {"58,500", "58"},
                    {"1:2", "2:1"},
                    {"5", "5i"},
                    {"0", "0/0"}});
}

TEST(Compare, LongDecimalsStandForExactValues) {
  expect_equal({{"\\frac37", "0.428571428571"},
                {"4\\pi", "12.5663706144"},
                {"\\sqrt2", "1.41421356237"},
                {"\\frac23", "0.666666666667"},
                {"\\frac23", "0.666666666666"}});
  expect_different({{"\\frac37", "0.43"},
                    {"\\frac37", "0.428571428561"},
                    {"\\sqrt2", "1.41421356247"},
                    {"0.428571428571", "0.4285714285714"}});
}

TEST(Compare, SurdsAndConstants) {
  expect_equal({{"\\frac{1}{\\sqrt2}", "\\frac{\\sqrt2}{2}"},
                {"\\frac{1}{\\sqrt3-1}", "\\frac{\\sqrt3+1}{2}"},
                {"\\sqrt{12}", "2\\sqrt3"},
                {"\\sqrt[3]{16}", "2\\sqrt[3]{2}"},
                {"2^{8/3}", "4\\sqrt[3]{4}"},
                {"\\sqrt{3+2\\sqrt2}", "1+\\sqrt2"},
                {"\\sqrt{\\frac{2}{11}}", "\\frac{\\sqrt{22}}{11}"},
                {"\\sqrt[3]{-8}", "-2"},
                {"\\sqrt{-4}", "2i"},
                {"\\frac{1}{1+i}", "\\frac{1-i}{2}"},
                {"(1+i)^2", "2i"},
                {"e^{i\\pi}", "-1"},
                {"e^{i\\pi/3}", "\\frac12+\\frac{\\sqrt3}{2}i"},
                {"\\cos\\frac{\\pi}{5}", "\\frac{1+\\sqrt5}{4}"},
                {"\\sin 30^\\circ", "\\frac12"},
                {"2\\cos(60°)", "1"},
                {"\\ln 8", "3\\ln 2"},
                {"\\log_2 8", "3"},
                {"\\log_{10} 250", "\\lg 250"},
                {"\\arctan 1", "\\frac{\\pi}{4}"},
                {"3√5", "\\sqrt{45}"},
                {"sqrt(53)", "\\sqrt{53}"},
                {"10^{100}", "10^{50} \\cdot 10^{50}"}});
  expect_different({{"\\sqrt2+\\sqrt3", "\\sqrt5"},
                    {"\\sqrt[3]{2}", "\\sqrt2"},
                    {"\\pi", "3.14159265"},
                    {"\\pi", "\\frac{355}{113}"},
                    {"2+\\pi", "2+e"},
                    {"1+\\sqrt2", "1-\\sqrt2"},
                    {"e^{\\pi}-\\pi", "20"},
                    {"4+5i", "4-5i"},
                    {"e^{\\pi\\sqrt{163}}", "262537412640768744"}});
}

TEST(Compare, WholePointsOnlyWhereBothSidesAskForThem) {
  expect_equal({{"\\lfloor n/2\\rfloor+\\lceil n/2\\rceil", "n+\\lfloor 1/2\\rfloor"},
                {"(-1)^n n!", "(-1)^{n+2}n(n-1)!"}});
  expect_different_both_ways({{"\\lfloor x\\rfloor", "x"},
                              {"n", "\\lceil n\\rceil"},
                              {"n^2", "n^2+\\sin(n\\pi)\\lfloor n\\rfloor"},
                              {"y=n", "y=\\lfloor n\\rfloor"},
                              {"2^n", "2^n+\\sin(n\\pi)n!"}});
}

TEST(Compare, Zero) {
  for (const char* zero :
       {"\\sin\\pi", "\\tan\\pi", "\\cos(\\pi/2)", "\\cos\\frac{\\pi}{5}-\\frac{1+\\sqrt5}{4}"})
    expect_equal({{"0", zero}, {zero, "0"}});
  expect_different_both_ways({{"0", "\\sin 3"}, {"0", "\\sin(10^{-30})"}, {"0", "\\cos\\pi"}});
}

TEST(Compare, ExpressionsInVariables) {
  expect_equal({{"(x+1)^2", "x^2+2x+1"},
                {"\\frac{x^2-1}{x-1}", "x+1"},
                {"\\frac{y+8}{y-7}", "1+\\frac{15}{y-7}"},
                {"2^{k-1}", "\\frac{2^k}{2}"},
                {"4^n", "2^{2n}"},
                {"e^{-2t}", "\\frac{1}{e^{2t}}"},
                {"x^{1/2}", "\\sqrt x"},
                {"\\sqrt{1/n}", "\\frac{1}{\\sqrt n}"},
                {"\\frac{1+\\sqrt{1+8n}}{2}", "\\frac{\\sqrt{8n+1}+1}{2}"},
                {"\\sec^2 y", "1+\\tan^2 y"},
                {"2\\sin b\\cos a", "\\sin(a+b)-\\sin(a-b)"},
                {"\\cos 2\\theta", "1-2\\sin^2\\theta"},
                {"\\cosh(at)", "\\frac12(\\exp{a*t}+\\exp{-a*t})"},
                {"\\lceil n/2\\rceil", "\\lfloor (n+1)/2\\rfloor"},
                {"\\frac{n!}{(n-2)!}", "n(n-1)"},
                {"\\binom{2n}{n}", "\\frac{(2n)!}{n!^2}"},
                {"\\lambda_{\\text{red}}/\\sqrt2", "\\frac{\\sqrt2}{2}\\lambda_{red}"},
                {"x^{n+1}", "x\\cdot x^n"},
                {"\\frac{dx}{dt}=kx-a", "\\frac{dx}{dt}+a=kx"},
                {"|x|", "\\sqrt{x^2}"},
                {"(-1)^{n+1}", "-(-1)^n"}});
  expect_different({{"x^2+1", "x^2-1"},
                    {"\\frac{y+8}{y-7}", "\\frac{z+8}{z-7}"},
                    {"R", "r"},
                    {"x", "\\sqrt{x^2}"},
                    {"\\cos 2\\theta", "1-\\sin^2\\theta"},
                    {"2^{k-1}", "2^{k+1}"},
                    {"\\lfloor n/2\\rfloor", "\\frac n2"},
                    {"\\frac{n!}{(n-2)!}", "n(n-2)"},
                    {"I(0)", "0"},
                    {"x_1", "x_2"},
                    {"y'", "y"},
                    {"0", "0x"},
                    {"5x", "5"}});
}

TEST(Compare, DecorationIsIgnored) {
  for (const char* answer : {"$5$",
                             "\\(5\\)",
                             "5.",
                             " \\displaystyle 5 ",
                             "\\text{5}",
                             "\\mathbf{5}",
                             "{{5}}",
                             "**5**",
                             "\\$5",
                             "5^\\circ",
                             "5^{\\circ}",
                             "5°",
                             "x = 5",
                             "x_1=5",
                             "f(2) = 5",
                             "\\theta = 5",
                             "5 = x",
                             "5\\text{ cm}",
                             "5 miles",
                             "5 \\mathrm{~m}/\\mathrm{s}^2",
                             "\\angle ABC=5",
                             "|AB| = 5",
                             "AB = 5",
                             "5\\text{ square inches}",
                             "+5",
                             "\\left(5\\right)",
                             "x\\approx5",
                             "5\\;\\text{cm}^{-1}",
                             "5 \\pmod 7",
                             "*5*",
                             "\\text{Area} = 5"})
    expect_equal({{"5", answer}});
  expect_equal({{"28\\%", "28"},
                {"28\\%", "0.28"},
                {"25", "25 percent"},
                {"20\\text{ miles}", "20 \\text{ mi}"}});
  expect_different({{"5", "5x"},
                    {"5", "5\\text{ million}"},
                    {"5", "x > 5"},
                    {"5", "x^2 = 5"},
                    {"5", "\\text{not } 5"},
                    {"5", "5 \\text{ (if } n \\text{ is even)}"},
                    {"5\\text{ cm}", "5\\text{ km}"},
                    {"28\\%", "2800"},
                    {"52_8", "52_9"},
                    {"52_8", "53_8"}});
}

TEST(Compare, ListsSetsTuples) {
  expect_equal({{"3, 5, 7", "7, 3 \\text{ and } 5"},
                {"3,5,7", "\\{5, 3, 7\\}"},
                {"3,5,7", "x=3, x=5 \\text{ or } x=7"},
                {"5,-2", "5; -2"},
                {"1,1,3", "1,3,1"},
                {"(16,17)", "(16.0, 17)"},
                {"(1,2),(3,4)", "(3,4) \\text{ and } (1,2)"},
                {"(x,y)=(2,4)", "(2,4)"},
                {"\\pm 5", "5, -5"},
                {"1\\pm\\sqrt{19}", "1-\\sqrt{19}, 1+\\sqrt{19}"},
                {"\\{1\\pm\\sqrt5,-2\\}", "-2, 1+\\sqrt5, 1-\\sqrt5"},
                {"\\frac{2015 \\cdot 2013}{4} \\text{ OR } \\frac{4056195}{4}", "1014048.75"},
                {"100,200", "100, 200"},
                {"a=2, b=3", "a=2 \\text{ and } b=3"},
                {"3 : 5 : 7", "6:10:14"},
                {"7:15 p.m.", "7{:}15 \\text{ pm}"}});
  expect_different({{"3,5,7", "3, 5"},
                    {"3,5,5", "3,3,5"},
                    {"5", "5, 6"},
                    {"5", "\\pm 5"},
                    {"5", "5 \\text{ or } 6"},
                    {"-12 \\text{ or } -30", "-12"},
                    {"(16,17)", "(17,16)"},
                    {"(1,2)", "(1,2,0)"},
                    {"2,3,4", "234"},
                    {"7:15 p.m.", "7:15 a.m."},
                    {"7:15 p.m.", "7:20 p.m."},
                    {"3+4i", "(3,4)"}});
}

TEST(Compare, IntervalsAndInequalities) {
  expect_equal({{"(3,4]", "3 < x \\le 4"},
                {"(3,4]", "x \\in (3, 4.0]"},
                {"(-\\infty,10]", "x \\le 10"},
                {"(1,2]\\cup(3,4)", "(3,4) \\cup (1,2]"},
                {"(-\\infty,-2]\\cup[3,\\infty)", "x \\le -2 \\text{ or } x \\ge 3"},
                {"(-\\infty,0)\\cup\\{1\\}", "\\{1\\}\\cup(-\\infty,0)"},
                {"[1,3]", "[1,2]\\cup[2,3]"},
                {"x \\ne 3", "(-\\infty,3)\\cup(3,\\infty)"},
                {"x \\leq 5", "5 \\geq x"},
                {"-3 \\le x < 7", "7 > x \\ge -3"},
                {"m \\neq 1", "1 \\neq m"},
                {"x+y>2", "2x+2y>4"},
                {"x+y>2", "-x-y<-2"},
                {"\\mathbb{R}", "(-\\infty,\\infty)"},
                {"c<\\sqrt2", "(-\\infty,\\sqrt2)"}});
  expect_different({{"[2,5)", "[2,5]"},
                    {"[2,5)", "(2,5)"},
                    {"(2,4)", "[2,4]"},
                    {"(1,2]\\cup(3,4)", "(1,2]\\cap(3,4)"},
                    {"x \\geq 5", "x \\leq 5"},
                    {"x > 5", "x \\ge 5"},
                    {"x > 5", "y > 5"},
                    {"x > 5", "5"},
                    {"(1,2)\\cup(2,3)", "(1,3)"},
                    {"x+y>2", "x+y<2"},
                    {"n=12", "n>12"}});
}

TEST(Compare, Equations) {
  expect_equal({{"y = 2x+3", "2x - y + 3 = 0"},
                {"y = 2x+3", "-6x+3y=9"},
                {"y = 2x+3", "2x+3"},
                {"\\frac{x^2}{4}+\\frac{y^2}{3}=1", "3x^2+4y^2=12"},
                {"f(x)=x^2", "x^2"},
                {"f(n)=n, g(n)=1", "g(n)=1, f(n)=n"},
                {"y=e^x", "e^x-y=0"},
                {"\\frac1x+\\frac1y=1", "\\frac{x+y}{xy}=1"},
                {"\\sin x = \\frac12", "2\\sin x - 1 = 0"},
                {"x \\equiv 3 \\pmod 7", "x \\equiv 10 \\pmod{7}"}});
  expect_different({{"y = 2x+3", "y = 2x-3"},
                    {"y = 2x+3", "x = 2y+3"},
                    {"2x+z=1", "1"},
                    {"3x-4y-1=0", "0"},
                    {"y = 2x", "0 = 0"},
                    {"x = x", "y = y"},
                    {"f(n)=n, g(n)=1", "f(n)=1, g(n)=n"},
                    {"y=2x", "z=2x"},
                    {"x \\equiv 3 \\pmod 7", "x \\equiv 4 \\pmod 7"}});
}

TEST(Compare, Matrices) {
  expect_equal({{"\\begin{pmatrix}1&2\\\\3&4\\end{pmatrix}",
                 "\\left[\\begin{array}{cc} 1.0 & \\frac42 \\\\ 3 & 4 \\\\ \\end{array}\\right]"},
                {"\\begin{bmatrix} 7 & 5 \\\\ 3/2 & 6 \\end{bmatrix}",
                 "\\frac12\\begin{pmatrix} 14 & 10 \\\\ 3 & 12 \\end{pmatrix}"},
                {"\\begin{pmatrix}1\\\\2\\end{pmatrix}",
                 "\\mathbf{v}=-\\begin{pmatrix}-1\\\\-2\\end{pmatrix}"}});
  expect_different(
      {{"\\begin{pmatrix}1&2\\\\3&4\\end{pmatrix}", "\\begin{pmatrix}1&3\\\\2&4\\end{pmatrix}"},
       {"\\begin{pmatrix}1\\\\2\\end{pmatrix}", "\\begin{pmatrix}1&2\\end{pmatrix}"},
       {"\\begin{pmatrix}1\\\\2\\end{pmatrix}", "\\begin{pmatrix}1\\\\2\\\\0\\end{pmatrix}"}});
}

TEST(Compare, Words) {
  expect_equal({{"\\text{Evelyn}", "Evelyn"},
                {"\\text{even}", "\\textbf{EVEN.}"},
                {"\\text{(C)}", "C"},
                {"\\text{(C)}", "\\mathrm{(C)}"},
                {"\\text{13}", "13"},
                {"\\text{The midpoints form a hexagon}", "\\text{the midpoints form a hexagon.}"}});
  expect_different({{"\\text{Yes}", "\\text{Yes or No}"},
                    {"\\text{(A)}", "\\text{(A) or (B)}"},
                    {"\\text{(A)}", "B"},
                    {"\\text{east}", "\\text{not east}"},
                    {"\\text{ellipse}", "ellips"}});
}

TEST(Compare, PolicySwitches) {
  const auto accepts = [](const char* gold, const char* answer, const MathPolicy& policy) {
    return verdict(gold, answer, policy).starts_with("correct");
  };
  EXPECT_FALSE(accepts("12.8", "12.75", {}));
  EXPECT_TRUE(accepts("12.8", "12.75", {.rounding = true}));
  EXPECT_FALSE(accepts("12.8", "12.74", {.rounding = true}));
  EXPECT_FALSE(accepts("5", "5\\text{ cm}", {.missing_units = false}));
  EXPECT_FALSE(accepts("28\\%", "28", {.percent_as_number = false}));
  EXPECT_TRUE(accepts("28\\%", "0.28", {.percent_as_number = false}));
  EXPECT_FALSE(accepts("y = 2x+3", "2x+3", {.value_for_equation = false}));
  EXPECT_FALSE(accepts("\\frac37", "0.428571428571", {.exact_from_digits = 0}));
}

TEST(Compare, ExplanationsSayWhatWasDone) {
  Explanation explanation;
  EXPECT_EQ(compare_answers("\\frac{1}{2}", "0.5", {}, &explanation), Outcome::kCorrect);
  EXPECT_EQ(explanation.gold, "(1/2)");
  EXPECT_EQ(explanation.compared, "exactly");
  EXPECT_EQ(explanation.reason, "equal");
  EXPECT_EQ(compare_answers("\\sec^2 y", "1+\\tan^2 y", {}, &explanation), Outcome::kCorrect);
  EXPECT_TRUE(explanation.compared.ends_with("points")) << explanation.compared;
}

}  // namespace
}  // namespace covrl
