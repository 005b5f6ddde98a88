// Mutations of answers, the same in every run: what a fuzzer would try, as an ordinary test.
#include <gtest/gtest.h>

#include <fstream>
#include <random>
#include <string>
#include <vector>

#include "core/jsonl.h"
#include "tests/fuzz/verify_checks.h"
#include "tests/support/paths.h"
#include "verifiers/math_judge.h"
#include "verifiers/work_budget.h"

namespace covrl {
namespace {

const std::vector<std::string> kPieces = {"\\frac{",
                                          "\\sqrt{",
                                          "\\boxed{",
                                          "\\text{",
                                          "{",
                                          "}",
                                          "(",
                                          ")",
                                          "[",
                                          "]",
                                          "^{",
                                          "_{",
                                          "^",
                                          "!",
                                          "%",
                                          "\\pm ",
                                          "\\cup ",
                                          "\\{",
                                          "\\}",
                                          ",",
                                          ";",
                                          " or ",
                                          "=",
                                          "<",
                                          "\\le ",
                                          "\\in ",
                                          "|",
                                          "1/0",
                                          "10^{99}",
                                          "9^9^9",
                                          "e9",
                                          "i",
                                          "e",
                                          "x",
                                          "\\pi",
                                          "\\infty",
                                          ".",
                                          "-",
                                          "+",
                                          "*",
                                          "/",
                                          ":",
                                          "'",
                                          "^\\circ",
                                          "$",
                                          "\\\\",
                                          "&",
                                          "\\log_2",
                                          "\\sin ",
                                          "0",
                                          "7",
                                          "1,234",
                                          "\\binom{5}",
                                          "\\lfloor ",
                                          "\xe2\x80\x8b",
                                          std::string(1, '\0'),
                                          "\xff",
                                          "\\begin{pmatrix}",
                                          "\\end{pmatrix}"};

class Mutator {
 public:
  size_t below(size_t n) { return engine_() % n; }

  std::string mutated(std::string text) {
    for (size_t n = 1 + below(4); n > 0; --n) {
      const size_t at = below(text.size() + 1);
      switch (below(4)) {
        case 0:
          text.insert(at, kPieces[below(kPieces.size())]);
          break;
        case 1:
          text.erase(at, 1 + below(6));
          break;
        case 2:
          text.insert(at, text.substr(below(text.size() + 1), 1 + below(20)));
          break;
        default:
          if (at < text.size()) text[at] = static_cast<char>(below(256));
      }
    }
    return text;
  }

 private:
  std::mt19937 engine_{42};
};

TEST(Mutations, KeepEveryPromise) {
  const std::string path = testing::reference_path("verifier/cases.jsonl");
  COVRL_REQUIRE_REFERENCE(path);
  std::vector<std::string> seeds;
  read_jsonl(path, [&](int64_t, const Json& row) {
    const std::string completion = row.at("completion"), gold = row.at("gold");
    if (completion.size() > 400 || gold.find('\n') != std::string::npos) return;
    seeds.push_back(gold + "\n" + completion);
    seeds.push_back(gold + "\n\\boxed{" + gold + "}");
  });
  Mutator mutator;
  for (int i = 0; i < 20'000; ++i) {
    const std::string input = mutator.mutated(seeds[mutator.below(seeds.size())]);
    ASSERT_EQ(testing::broken_promise(input), "") << input;
  }
}

// Inputs made to hang or to fill memory: a zero for each, and the work is counted, not timed.
TEST(Mutations, HostileInputsAreCheap) {
  std::vector<std::string> hostile = {"9^{9^{9^{9}}}",
                                      "9^9^9^9^9",
                                      "((100!)!)!",
                                      "10000000000!",
                                      "1e999999999",
                                      "(a+b+c+d+e+f)^{60}",
                                      "((((x+y)^{50}+1)^{50}+1)^{50}+1)^{50}",
                                      "\\binom{1000000}{500000}",
                                      "\\sin(\\cos(\\tan(10^{50})))",
                                      "\\Gamma(10^{9})",
                                      "\\prod_{k=1}^{10^{9}} k",
                                      "2^{2^{2^{2^{2^{2}}}}}",
                                      "10^{-10^{10^{10}}}",
                                      "\\sqrt[100000]{2}",
                                      "\\begin{pmatrix}1&2&\\end{pmatrix}",  // once 0 columns
                                      "\\sum_{k=1}^{1000}\\lfloor k\\pi\\rfloor",
                                      "\\sum_{k=1}^{1000}\\sqrt{k}",
                                      "\\sum_{k=1}^{100}(x+y)^k",
                                      "\\sum_{k=1}^{500}\\frac{1}{\\sqrt{k}+\\sqrt{k+1}}",
                                      "2^{1/99991}\\cdot 3^{1/99989}",
                                      std::string(20'000, '7') + "^{2}",
                                      "\\frac{1}{" + std::string(10'000, '9') + "}"};
  for (const char* piece :
       {"{", "}",    "(",        "\\frac{",    "\\sqrt{", "\\frac{1}{", "x^{", "1+",
        "-", "\\pm", "x=",       "1,",         "(1,2),",  "\\{",        "|",   "!",
        "%", "7",    "\\text{a", "\\cup[0,1]", "x<",      "\\sin ",     "a",   "\\begin{pmatrix}",
        "&", "2^"}) {
    for (const size_t bytes : {300u, 20'000u, 1'000'000u}) {
      std::string flood;
      while (flood.size() < bytes) flood += piece;
      hostile.push_back(flood);
    }
  }
  for (const std::string& answer : hostile)
    for (const char* gold : {"42", "x^2+1", "[2,5)", "\\{1,2\\}"})
      for (const std::string& response : {"\\boxed{" + answer + "}", "The answer is " + answer}) {
        Explanation explanation;
        const Outcome outcome = judge_math(response, gold, {}, &explanation).outcome;
        EXPECT_TRUE(outcome == Outcome::kWrong || outcome == Outcome::kUnparsed)
            << outcome_name(outcome) << " " << answer.substr(0, 60);
        EXPECT_LE(explanation.steps, WorkBudget::kSteps + 200'000) << answer.substr(0, 60);
      }
}

// Powers of powers are named after their exponents in full; once 5 million characters were written
// before a step was counted.
TEST(Mutations, NamesOfPowersAreCounted) {
  for (const std::string towers :
       {"9^9^.99^49^09.06480^9.06^.99^06^.99^2.06^.99^06^.99^245^.8 !!!!^9^.99.99^06^.99^490^.8 "
        "!!!!^9^.99^490^.996 !!4!!!",
        "9^9^.99^49^0\t9.06480^8.9^9^.99^49^09.06480^8.06^.98^06^.99^245^.8 "
        "!!!!^9^.99.99^06^.3!!!"})
    EXPECT_EQ(testing::broken_promise(towers + "\n!!!^9\\boxed{1}"), "");
}

}  // namespace
}  // namespace covrl
