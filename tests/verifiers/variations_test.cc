// Spellings that answers come in, and what looks like them: a line a gold answer, what says the
// same, what does not.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/verifiers/spelling_rows.h"

namespace covrl {
namespace {

using testing::expect_rows;
using testing::Texts;

// One word that nobody knows may be what is counted; two may say anything, and some words never
// are units.
TEST(Variations, WordsBehindANumber) {
  expect_rows(
      {{"5",
        {"5\\text{ dragons}", "5\\text{ red marbles}", "5\\text{ square feet}",
         "5\\text{ miles per hour}", "5\\text{ oogles per boogle}", "5\\text{ min}",
         "5\\text{ distinct ordered pairs}", "5 \\text{ cups of flour}", "5 oranges",
         "5\\text{ units squared}", "5 \\text{ (cm)}", "5\\text{ kg}\\cdot\\text{m}^2",
         "5 {}^\\circ C", "5¢", "5 \\text{ ways in total}", "5 EUR", "USD 5", "Rs. 5"},
        {"5\\text{ perhaps}", "5 \\text{ (perhaps)}", "5\\text{ quarters}", "5\\text{ tenths}",
         "5\\text{th}", "5\\text{ oder sechs}", "5\\text{ blah blub}", "5\\text{ or so}",
         "5\\text{ I guess}", "5\\text{ nope}", "5\\text{ squared}", "5\\text{ plus one}",
         "5\\text{ dozen}", "5\\text{ half}", "\\text{about }5", "5\\text{ vielleicht sechs}"}}});
}

TEST(Variations, Numbers) {
  expect_rows({{"\\frac{3}{4}",
                {"¾", "0{.}75", "\\nicefrac{3}{4}", "\\frac{3}{4}\\\\", "\\cfrac34", "3⁄4"},
                {"34", "3\\frac14", "0.8", "\\frac43"}},
               {"2\\frac{1}{2}",
                {"2½", "2 1/2", "2~\\tfrac12", "\\frac52", "2+\\frac12"},
                {"21/2", "2\\cdot\\frac12", "1"}},
               {"0.\\bar{3}", {"\\frac13", "0.\\dot{3}", "0.\\overline{3}"}, {"0.3", "0.33"}},
               {"12345",
                {"12~345", "12\\ 345", "12\\,345", "12{,}345", "１２３４５", "12,345"},
                {"12, 345", "123,45", "12.345"}},
               {"4.5e33",
                {"4.5 x 10^{33}", "4.5×10^33", "4.5\\times{10}^{33}", "45\\cdot 10^{32}"},
                {"4.5 \\times 10^{32}", "4.5x + 10^{33}", "4.5 x^{33}"}},
               {"33\\frac{1}{3}\\%", {"\\frac{100}{3}\\%", "\\frac13", "33 1/3\\%"}, {"11\\%"}},
               {"28\\%", {"28％", "0.28", "28\\text{ percent}"}, {"2.8", "0.28\\%"}}});
}

TEST(Variations, SetsOfReals) {
  expect_rows(
      {{"[2,5)",
        {"[2, 5[", "x \\ge 2 \\text{ and } x < 5", "\\{x \\mid 2 \\le x < 5\\}", "5 > x \\geq 2",
         "\\{x\\in\\mathbb{R}: 2\\leq x<5\\}", "x\\ge 2, x<5", "\\lbrack 2,5)"},
        {"]2,5[", "\\{x \\mid 2 < x < 5\\}", "x \\ge 2 \\text{ or } x < 5", "\\{2,5\\}"}},
       {"(-\\infty,-2)\\cup(3,\\infty)",
        {"x<-2 \\lor x>3", "(-\\infty,-2) \\text{ or } (3,\\infty)", "\\mathbb{R}\\setminus[-2,3]",
         "]-\\infty,-2[ \\cup ]3,+\\infty[", "(-∞,-2)∪(3,∞)"},
        {"\\mathbb{R}\\setminus(-2,3)", "x<-2 \\text{ and } x>3", "-2<x<3",
         "(-\\infty,-2)\\cap(3,\\infty)"}},
       {"\\mathbb{R}",
        {"\\text{all real numbers}", "(-\\infty,\\infty)"},
        {"\\text{all integers}"}},
       {"x\\ne 2", {"x\\not=2", "\\mathbb{R}\\setminus\\{2\\}"}, {"x=2"}},
       {"\\mathbb{R}\\setminus\\{1,3\\}",
        {"(-\\infty,1)\\cup(1,3)\\cup(3,\\infty)"},
        {"(-\\infty,1)\\cup(3,\\infty)"}},
       {"\\{1,2,3\\}", {"\\{1\\}\\cup\\{2,3\\}", "1、2、3"}, {"\\{1,2\\}\\cup\\{3,4\\}"}}});
}

// x = 1, y = 2 names its values, x_1 = 1, x_2 = 2 lists two of one kind.
TEST(Variations, NamedValues) {
  expect_rows({{"(1,2)",
                {"x=1,y=2", "x=1 \\text{ and } y=2", "（1，2）", "P=(1,2)"},
                {"x=2,y=1", "y=1,x=2", "x=1"}},
               {"x=1,y=2", {"y=2, x=1", "(x,y)=(1,2)", "(1,2)"}, {"x=2,y=1", "(x,y)=(2,1)"}},
               {"x_1=1,x_2=2", {"x_1=2,x_2=1", "1,2"}, {"x_1=1,x_2=1"}}});
}

TEST(Variations, Others) {
  expect_rows({{"\\text{July 4}", {"July 4", "\\text{july 4.}"}, {"\\text{July 5}"}},
               {"\\text{east}", {"\"east\"", "``east''"}, {"\\text{not east}"}},
               {"36^\\circ", {"36º", "36^o", "m\\angle ABC = 36^\\circ"}, {"63^\\circ"}},
               {"3:5", {"3\\text{ to }5", "3∶5", "6:10"}, {"5:3", "5\\text{ to }3"}},
               {"\\begin{pmatrix}1&2\\\\3&4\\end{pmatrix}",
                {"[[1,2],[3,4]]", "\\begin{pmatrix}1&2\\\\[2pt]3&4\\end{pmatrix}",
                 "\\begin{pmatrix}1&2\\cr 3&4\\end{pmatrix}"},
                {"[[1,3],[2,4]]", "[1,2],[3,4]"}},
               {"\\frac{1}{4-\\omega^2}", {"-1/(omega**2 - 4)"}, {"1/(4-omega)"}}});
}

TEST(Variations, WhatStandsAround) {
  expect_rows({{"5",
                {"\\underline{5}", "\\color{red}{5}", "\\textcolor{blue}{5}", "\\hspace{1cm}5",
                 "\\therefore 5", "\\Rightarrow x = 5", "5 \\checkmark", "\\phantom{x}5",
                 "x = \\frac{10}{2} = 5"},
                {"\\frac{10}{2} = 6", "5.0000000001", "4.9999999999", "2x = 5"}},
               {"2\\sqrt{3}",
                {"2\\sqrt3 \\approx 3.46", "x = \\sqrt{12} = 2\\sqrt3 \\approx 3.464"},
                {"2\\sqrt3 \\approx 3.47", "3.46", "2\\sqrt{3} = 2\\sqrt{2}"}},
               {"\\frac12", {"\\sin A = \\frac12", "\\cos\\theta=0.5"}, {"\\sin A = \\frac13"}},
               {"20\\text{ miles}", {"20"}, {"20\\%"}}});
}

TEST(Variations, FiniteSums) {
  expect_rows({{"15",
                {"\\sum_{k=1}^{5} k", "\\sum\\limits^5_{i=1} i", "\\sum_{k=1}^{5} k = 15"},
                {"\\sum_{k=1}^{6} k", "\\sum_{k=5}^{1} k", "\\sum_{k=1}^{n} k"}},
               {"120", {"\\prod_{k=1}^{5}k"}, {"\\prod_{k=1}^{4}k"}},
               {"10", {"\\sum_{i=1}^{4}\\sum_{j=1}^{i}1"}, {}},
               {"-6", {"\\sum_{k=1}^3 -k"}, {"\\sum_{k=1}^3 k", "\\sum_{k=1}^3 - 1"}},
               {"0", {"x-x"}, {"0x", "x-y"}},
               {"1+x+x^2", {"\\sum_{k=0}^{2}x^k"}, {"\\sum_{k=0}^{2}x_k"}},
               {"\\sum_{k=1}^{n} k", {"\\sum_{k=1}^{n}k"}, {"\\sum_{k=0}^{n} k"}}});
}

// Floors differ at few points, and floor(x) is x at whole ones.
TEST(Variations, Floors) {
  expect_rows({{"\\lfloor x\\rfloor",
                {"\\lfloor x\\rfloor+0x", "-\\lceil -x\\rceil"},
                {"x", "x+0\\lfloor x\\rfloor", "x+0\\lfloor x/2\\rfloor",
                 "x\\cdot\\frac{\\lfloor x\\rfloor}{\\lfloor x\\rfloor}", "\\lceil x\\rceil-1"}},
               {"\\lfloor \\log_2 n\\rfloor+1",
                {"\\lceil\\log_2(n+1)\\rceil", "\\lfloor\\frac{\\ln n}{\\ln 2}\\rfloor+1"},
                {"\\lfloor\\log_2(n+1)\\rfloor+1"}},
               {"\\lfloor\\sqrt{n-1}\\rfloor", {}, {"\\lfloor\\sqrt n\\rfloor"}},
               {"\\lfloor\\frac{n^2}{4}\\rfloor",
                {"\\lfloor n/2\\rfloor\\lceil n/2\\rceil"},
                {"\\lfloor n/2\\rfloor^2", "\\frac{n^2}{4}"}}});
}

// The symbols of one point have signs of their own.
TEST(Variations, SignsOfEachSymbol) {
  expect_rows({{"xy", {"x\\cdot y"}, {"|xy|", "\\sqrt{x^2y^2}", "|x|y", "x|y|"}},
               {"\\frac ab", {"\\frac{ab}{b^2}"}, {"|\\frac ab|", "\\sqrt{a^2/b^2}"}},
               {"abc", {}, {"|ab|c", "a|bc|", "|ac|b", "|abc|", "ab|c|"}},
               {"abcd", {}, {"a|bc|d", "ab|cd|", "|ad|bc", "abc|d|", "\\sqrt{a^2d^2}bc"}},
               {"|x||y|", {"|xy|", "\\sqrt{x^2y^2}"}, {"xy"}},
               {"xy=6", {"2xy=12"}, {"|x||y|=6", "|xy|=6"}},
               {"\\sqrt x\\sqrt[4]{y}\\sqrt z", {"\\sqrt{xz}\\sqrt[4]y"}, {}}});
}

// |x - 10| is 10 - x until x is 10.
TEST(Variations, KinksFarOut) {
  expect_rows({{"10-x", {"-(x-10)"}, {"|x-10|", "\\sqrt{(x-10)^2}", "((x-10)^2)^{1/2}"}},
               {"x+5", {}, {"|x+5|", "\\sqrt{x^2+10x+25}"}},
               {"5-x", {}, {"\\sqrt{x^2-10x+25}", "\\sqrt[4]{(x-5)^4}"}},
               {"x+100", {}, {"\\sqrt{(x+100)^2}", "|x+100|"}},
               {"|x-10|", {"|10-x|", "\\sqrt{(10-x)^2}"}, {}},
               {"|x|e^{x^2}", {"\\sqrt{x^2}e^{x^2}"}, {"xe^{x^2}"}}});
}

// The bits of one large term hide no small one.
TEST(Variations, SmallBesideLarge) {
  expect_rows({{"10^{60}x+\\sin x",
                {"\\sin x+10^{60}x", "10^{60}x+2\\sin\\frac x2\\cos\\frac x2"},
                {"10^{60}x+\\cos x", "10^{60}x"}},
               {"1", {"\\sin^2 1+\\cos^2 1"}, {"\\cos(10^{-30})", "\\cos(10^{-60})"}},
               {"10^{-60}\\sin 2", {"2\\cdot10^{-60}\\sin1\\cos1"}, {"10^{-60}\\sin 3"}}});
}

TEST(Variations, Binomials) {
  expect_rows({{"\\binom n2",
                {"C(n,2)", "\\frac{n(n-1)}{2}", "{n \\choose 2}"},
                {"C(2,n)", "C(n)", "C(n,3)"}},
               {"\\binom{n+1}{k}", {"C(n+1,k)"}, {"C(n,k)"}},
               {"C(1,2)", {}, {"C(1,3)"}}});
}

// What is said of x is not said of a function of x, nor of y.
TEST(Variations, NamesOfEquations) {
  expect_rows({{"x=5",
                {"x_0=5", "AB=5", "5=x"},
                {"|x|=5", "\\sin x=5", "\\lfloor x\\rfloor=5", "f(x)=5", "\\ln x=5", "y=5", "t=5"}},
               {"5", {"|AB|=5", "|z|=5", "f(x)=5", "y=5", "\\log x=5"}, {"|x|=5", "|x|=-5"}},
               {"-5", {"x=-5", "f(x)=-5"}, {"|x|=-5", "|AB|=-5", "|z|=-5"}},
               {"|x|=5", {"5=|x|", "2|x|=10"}, {"x=5", "5"}},
               {"\\frac35", {"\\sin A=\\frac35"}, {}},
               {"x_1=1,x_2=2", {"x=1,x=2", "x=2 \\text{ or } x=1"}, {"y=1,y=2"}}});
}

TEST(Variations, OrderOfNames) {
  expect_rows({{"(1,2)",
                {"(x,y)=(1,2)", "(m,b)=(1,2)", "(a,b)=(1,2)", "(y,x)=(2,1)"},
                {"(y,x)=(1,2)", "(b,a)=(1,2)"}},
               {"(3,\\frac{\\pi}{2})", {"(r,\\theta)=(3,\\frac{\\pi}{2})"}, {}},
               {"\\emptyset", {"\\varnothing", "\\{\\}"}, {"\\{\\emptyset\\}", "\\{0\\}", "0"}}});
}

TEST(Variations, RegionsTakenApart) {
  expect_rows({{"(0,5)\\cup(5,\\infty)",
                {"(0,\\infty)\\setminus\\{5\\}", "x>0, x\\ne5", "x\\ne5 \\text{ and } x>0",
                 "(0,\\infty)-\\{5\\}", "x\\in(0,\\infty), x\\ne 5"},
                {"x>0", "x\\ne5", "x>0 \\text{ or } x\\ne5", "x>0, y\\ne5",
                 "[0,\\infty)\\setminus\\{5\\}", "(0,\\infty)\\setminus\\{4\\}"}},
               {"[-1,1]", {"|x|\\le1", "1\\ge|x|"}, {"|x|<1", "|x|\\ge1", "|x|\\le2", "|x|\\le-1"}},
               {"(1,5)", {"|x-3|<2", "2>|x-3|"}, {"|x+3|<2", "|x-3|\\le2"}},
               {"(-\\infty,1]\\cup[5,\\infty)", {"|x-3|\\ge2"}, {"|x-3|>2", "|x-3|<2"}},
               {"(-\\infty,2)\\cup(2,\\infty)",
                {"\\mathbb R-\\{2\\}", "x\\ne2", "x\\in\\mathbb{R}, x\\ne2"},
                {"\\mathbb R-\\{3\\}", "\\mathbb R"}},
               {"x>5", {}, {"x>5, x>3", "x>5, x<3"}},
               {"[2,3]", {"[0,3]\\cap[2,5]"}, {"[0,3]\\cap(2,5]", "[0,3]\\cup[2,5]"}}});
}

}  // namespace
}  // namespace covrl
