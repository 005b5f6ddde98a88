// How the verifier reads what models and books write: a line a gold answer, what says the same,
// what does not.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/verifiers/spelling_rows.h"
#include "verifiers/math_judge.h"

namespace covrl {
namespace {

using testing::expect_rows;
using testing::Texts;

TEST(Spellings, AnUnbracedScriptIsAShortNumber) {
  expect_rows({{"7", {"\\log_2 128", "\\log_2\\,128"}, {"\\log_{2128}"}},
               {"8", {"\\log_2\\,256"}, {}},
               {"3", {"\\log_5 125", "\\log_{5}{125}"}, {}},
               {"2^{3125}", {"2^{3\\,125}", "2^{3{,}125}"}, {"2^3 125", "2^3\\,125"}},
               {"x^{2100}", {}, {"x^2 100", "x^2\\,100"}},
               {"x^{-2100}", {}, {"x^-2 100"}},
               {"10^{1100}", {"10^{1{,}100}"}, {"10^1{,}100"}}});
}

TEST(Spellings, WhatIsEscapedDoesNotVanish) {
  expect_rows({{"5", {"5\\,", "\\(5\\)", "\\$5", "5\\ ", "5\\;"}, {"5\\9", "\\95", "\\-5", "5\\@"}},
               {"12", {"12\\:", "\\[12\\]"}, {"\\312", "1\\+2"}},
               {"(1,2)", {"(1,\\,2)", "(1,\\>2)"}, {"(1,2)\\9"}}});
}

TEST(Spellings, WordsThatChangeANumberAreNoUnits) {
  for (const char* word :
       {"doubled",    "tripled",    "quadrupled", "halved",    "tens",       "permille",
        "permil",     "factorials", "fourty",     "inverse",   "reciprocal", "through",
        "thru",       "till",       "until",      "onwards",   "upwards",    "beyond",
        "upto",       "atleast",    "atmost",     "excluded",  "rejected",   "extraneous",
        "impossible", "untrue",     "inaccurate", "disproved", "DNE"}) {
    const std::string answer = "5\\text{ " + std::string(word) + "}";
    EXPECT_EQ(compare_answers("5", answer, {}), Outcome::kWrong) << answer;
  }
}

TEST(Spellings, AValueThatIsDeniedIsNoAnswer) {
  const auto accepted = [](const char* response) {
    return judge_math(response, "5", {}).outcome == Outcome::kCorrect;
  };
  for (const char* response : {"5 is not the answer", "So 5 cannot be right.", "$5$ is wrong",
                               "The answer: 5 is impossible", "x = 5 isn't a solution"})
    EXPECT_FALSE(accepted(response)) << response;
  for (const char* response :
       {"5 is the answer", "The answer is 5 which is not much", "We have 5 without doubt",
        "we see that 5 is the only solution, not more",
        "x = 5 is the root we want because no other one is positive"})
    EXPECT_TRUE(accepted(response)) << response;
}

TEST(Spellings, BareUnits) {
  const Texts speeds = {"10 m/s",  "10\\ m/s",  "10 km/h",  "10 \\frac{\\text{m}}{\\text{s}}",
                        "10 mi/h", "10 ft/sec", "10\\,m/s", "v = 10 m/s"};
  const Texts no_units = {"11 m/s", "10 m/x", "10 x/s", "10x", "10 m n", "10 m - s", "10 s^2 + 1"};
  expect_rows(
      {{"10", speeds, no_units},
       {"10", {"10 m^2", "10 kPa", "10 kg m/s^2", "10 m^{3}"}, {"10^m", "m/s", "10 x^2"}},
       {"10\\text{ m/s}", {"10 m/s", "10\\ m/s", "10 \\frac{\\text{m}}{\\text{s}}"}, no_units},
       {"10m", {"10 m"}, {"10 m/s", "10"}},
       {"\\frac{10m}{s}", {"10 m/s"}, {"10"}}});
}

TEST(Spellings, PrintedChoices) {
  const Texts same = {"\\textbf{(C)}\\ 12",
                      "(C) 12",
                      "C) 12",
                      "C. 12",
                      "\\text{Option C}",
                      "Choice C",
                      "\\textbf{(C) } \\frac{1}{2}",
                      "\\textbf{(C)}",
                      "C.",
                      "(C)",
                      "\\textbf{C}",
                      "\\text{(C) }12",
                      "Option C: 12",
                      "\\mathrm{(C)}~12",
                      "$(C)$ none of these",
                      "choice (C)",
                      "(C) all of the above",
                      "(C) 2 and 3",
                      "\\textbf{(C)}\\ -1"};
  const Texts other = {"\\textbf{(B)}\\ C", "(B) 12",        "(C) or (D)",
                       "C) 12, D) 13",      "(C)(D)",        "(C) is wrong",
                       "Option C or D",     "C12",           "C.5",
                       "not (C)",           "(C 12",         "(C), (D)",
                       "C. 12 D. 13",       "(12) C",        "(C)+1",
                       "(C) + 1",           "(C)-1",         "(C), 12",
                       "(C) or 12",         "\\text{(C)}^2", "\\textbf{(C)}\\ \\textbf{(D)}",
                       "Option CD"};
  expect_rows({{"C", same, other},
               {"\\text{(C)}", same, other},
               {"B", {"\\textbf{(B)}\\ C"}, {"\\textbf{(C)}\\ B"}},
               {"12", {}, {"(C) 12", "C. 12"}}});
}

TEST(Spellings, OperatorsAtTheEndsAreNoEmphasis) {
  expect_rows(
      {{"12", {"*12*", "**12**", "12*"}, {"12\\cdot", "\\cdot 12", "12 \\times", "12·", "12+"}},
       {"5", {"*5*"}, {"5 \\times", "5×", "\\times 5"}}});
}

TEST(Spellings, PrimesOfNumbersAreNoDecoration) {
  expect_rows({{"5", {}, {"5'", "5''", "5^{\\prime}", "5′"}},
               {"60^\\circ", {"60"}, {"60'", "60^\\prime"}},
               {"60'", {"60'"}, {"60", "61'", "60^\\circ"}},
               {"y'", {"y'", "y^{\\prime}"}, {"y"}}});
}

TEST(Spellings, OfAllKinds) {
  expect_rows(
      {{"7",
        {"7{}", "7{} ", "\\text{The answer is } 7", "\\text{Answer: }7", "\\text{The answer is 7}"},
        {"\\text{The answer is not } 7", "\\text{The answer is about } 7",
         "\\text{The answer is } 8", "\\text{is } 7", "\\frac{7}{}", "7{}8"}},
       {"\\frac13",
        {".\\overline{3}", ".\\bar{3}"},
        {".\\overline{4}", ".\\overline{3x}", "\\overline{3}"}},
       {"\\frac95", {"1⅘", "1 ⅘"}, {"1⅗", "⅘"}},
       {"\\frac16", {"⅙"}, {"⅚"}},
       {"even", {"Even", "EVEN", "\\text{even}", "even."}, {"odd", "evne", "not even", "even odd"}},
       {"52_8",
        {"52_{\\text{eight}}", "52_{8}"},
        {"52_{\\text{nine}}", "52_{\\text{eights}}", "52"}},
       {"\\text{June 5}",
        {"5 June", "June 5", "5\\text{ June}"},
        {"6 June", "5 July", "5", "5 June 2020"}},
       {"5 June", {"\\text{June 5}"}, {"5", "\\text{June 6}"}}});
}

TEST(Spellings, BoxesWithoutBraces) {
  const auto judged = [](const char* response) { return judge_math(response, "12", {}).outcome; };
  for (const char* response :
       {"so \\boxed 12", "$\\boxed 12$", "\\boxed12.", "it is \\boxed 12. Done"})
    EXPECT_EQ(judged(response), Outcome::kCorrect) << response;
  EXPECT_EQ(judged("\\boxed{11} or \\boxed 12"), Outcome::kWrong);
  for (const char* response :
       {"12 \\boxed", "\\boxed 12/5", "\\boxed 12x", "\\boxed 12 + 1", "12 \\boxed."})
    EXPECT_EQ(judged(response), Outcome::kUnparsed) << response;
}

}  // namespace
}  // namespace covrl
