// What holds for every answer: rewritings leave it equal, perturbations do not, order of the two
// sides does not matter. Answers come from generators with a fixed seed and from the benchmarks.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/jsonl.h"
#include "tests/support/paths.h"
#include "verifiers/math_judge.h"

namespace covrl {
namespace {

std::string report(const std::string& a, const std::string& b) { return a + "  against  " + b; }

void expect_equal(const std::string& a, const std::string& b) {
  EXPECT_EQ(compare_answers(a, b, {}), Outcome::kCorrect) << report(a, b);
  EXPECT_EQ(compare_answers(b, a, {}), Outcome::kCorrect) << report(b, a);
}
void expect_different(const std::string& a, const std::string& b) {
  EXPECT_EQ(compare_answers(a, b, {}), Outcome::kWrong) << report(a, b);
  EXPECT_EQ(compare_answers(b, a, {}), Outcome::kWrong) << report(b, a);
}

class Random {
 public:
  int between(int low, int high) { return low + static_cast<int>(next() % (high - low + 1u)); }
  int nonzero(int largest) {
    const int value = between(1, largest);
    return between(0, 1) ? value : -value;
  }

 private:
  uint32_t next() { return static_cast<uint32_t>(engine_()); }
  std::mt19937 engine_{20240131};
};

std::string signed_text(int value) { return value < 0 ? concat(value) : concat("+", value); }

TEST(Properties, DecimalsAreFractions) {
  Random random;
  for (int i = 0; i < 300; ++i) {
    const int thousandths = random.nonzero(99999);
    char decimal[32];
    std::snprintf(decimal, sizeof decimal, "%.3f", thousandths / 1000.0);
    const std::string fraction = concat("\\frac{", 7 * thousandths, "}{7000}");
    expect_equal(decimal, fraction);
    expect_different(decimal, concat("\\frac{", thousandths + 1, "}{1000}"));
  }
}

// a / (b + c sqrt d) = a (b - c sqrt d) / (b^2 - c^2 d)
TEST(Properties, SurdsMayBeRationalised) {
  Random random;
  for (int i = 0; i < 200; ++i) {
    const int a = random.nonzero(20), b = random.nonzero(9), c = random.nonzero(5);
    const int d =
        std::vector{2, 3, 5, 6, 7, 12, 18, 30, 98}[static_cast<size_t>(random.between(0, 8))];
    const std::string quotient = concat("\\frac{", a, "}{", b, signed_text(c), "\\sqrt{", d, "}}");
    const int below = b * b - c * c * d;
    const std::string rationalised =
        concat("\\frac{", a * b, signed_text(-a * c), "\\sqrt{", d, "}}{", below, "}");
    expect_equal(quotient, rationalised);
    expect_different(quotient,
                     concat("\\frac{", a * b, signed_text(a * c), "\\sqrt{", d, "}}{", below, "}"));
    expect_different(quotient, concat("\\frac{", a * b, signed_text(-a * c), "\\sqrt{", d + 1,
                                      "}}{", below, "}"));
  }
}

TEST(Properties, ProductsMayBeExpanded) {
  Random random;
  for (int i = 0; i < 200; ++i) {
    const int a = random.nonzero(9), b = random.nonzero(9), c = random.nonzero(9);
    const std::string factored = concat("(", a, "x", signed_text(b), "y)(x", signed_text(c), ")");
    const auto expanded = [&](int constant) {
      return concat(b * c, "y", signed_text(a), "x^2", signed_text(constant), "x", signed_text(b),
                    "xy");
    };
    expect_equal(factored, expanded(a * c));
    expect_different(factored, expanded(a * c + 1));
    expect_equal(concat("\\frac{", factored, "}{z}"), concat("\\frac{2", factored, "}{2z}"));
    expect_equal(concat(factored, "=0"), concat("-3", factored, "=0"));
    expect_different(concat(factored, "=0"), concat(factored, "=1"));
  }
}

TEST(Properties, PowersOfSumsOfExponents) {
  Random random;
  for (int i = 0; i < 100; ++i) {
    const int base = random.between(2, 30), shift = random.nonzero(6);
    const std::string power = concat(base, "^{n", signed_text(shift), "}");
    const std::string apart = concat(base, "^n\\cdot ", base, "^{", shift, "}");
    expect_equal(power, apart);
    expect_different(power, concat(base, "^n\\cdot ", base, "^{", shift + 1, "}"));
  }
}

TEST(Properties, ListsInAnyOrderWithMultiplicity) {
  Random random;
  std::mt19937 engine(5);
  for (int i = 0; i < 200; ++i) {
    std::vector<std::string> items;
    for (int n = random.between(2, 7); n > 0; --n)
      items.push_back(random.between(0, 1) ? concat(random.nonzero(20))
                                           : concat("\\sqrt{", random.between(2, 50), "}"));
    const auto joined = [](const std::vector<std::string>& list) {
      std::string text;
      for (const std::string& item : list) text += (text.empty() ? "" : ", ") + item;
      return text;
    };
    const std::string gold = joined(items);
    std::shuffle(items.begin(), items.end(), engine);
    expect_equal(gold, "\\{" + joined(items) + "\\}");
    std::vector<std::string> more = items, fewer = items, changed = items;
    more.push_back(items[0]);
    fewer.pop_back();
    changed[0] += "+1";
    for (const auto& other : {more, fewer, changed}) expect_different(gold, joined(other));
  }
}

TEST(Properties, TuplesAndIntervalsKeepOrderAndBrackets) {
  Random random;
  for (int i = 0; i < 100; ++i) {
    const int a = random.between(-20, 20), b = a + random.between(1, 20);
    const std::string half_open = concat("[", a, ",", b, ")");
    expect_equal(half_open, concat("\\left[", 2 * a, "/2,\\ ", b, ".0\\right)"));
    expect_equal(half_open, concat(a, " \\le t < ", b));
    expect_equal(half_open, concat("[", a, ",", b, ") \\cup \\{", a, "\\}"));
    for (const std::string& other :
         {concat("(", a, ",", b, ")"), concat("[", a, ",", b, "]"), concat("[", b, ",", a, ")"),
          concat("[", a, ",", b + 1, ")"), concat(a, " < t < ", b)})
      expect_different(half_open, other);
  }
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  for (size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size()))
    text.replace(at, from.size(), to);
  return text;
}

std::vector<std::string> layouts(const std::string& answer) {
  std::vector<std::string> all = {
      "$" + answer + "$",
      "\\(" + answer + "\\)",
      "\\displaystyle " + answer,
      answer + ".",
      " \\, " + answer + " \\quad",
      replaced(replaced(answer, "\\dfrac", "\\frac"), "\\frac", "\\tfrac"),
      replaced(answer, "+", " + "),
      replaced(answer, "=", " = "),
      replaced(answer, "\\pi", "{\\pi}")};
  const auto has = [&](const char* text) { return answer.find(text) != std::string::npos; };
  if (!has("\\left") && !has("\\big") && !has("\\("))
    all.push_back(replaced(replaced(answer, "(", "\\left("), ")", "\\right)"));
  return all;
}

class BenchmarkAnswers : public ::testing::TestWithParam<const char*> {};

TEST_P(BenchmarkAnswers, LayoutSaysNothing) {
  const std::string path = testing::reference_path(GetParam());
  COVRL_REQUIRE_REFERENCE(path);
  read_jsonl(path, [&](int64_t line, const Json& row) {
    const std::string gold = row.at("answer");
    if (line % 3 != 0 || gold.empty() || !answer_parses(gold)) return;
    for (const std::string& layout : layouts(gold))
      EXPECT_EQ(compare_answers(gold, layout, {}), Outcome::kCorrect) << report(gold, layout);
  });
}

TEST_P(BenchmarkAnswers, AnotherValueIsAnotherAnswer) {
  const std::string path = testing::reference_path(GetParam());
  COVRL_REQUIRE_REFERENCE(path);
  read_jsonl(path, [&](int64_t line, const Json& row) {
    const std::string gold = row.at("answer");
    if (line % 3 != 0 || gold.empty() || !answer_parses(gold)) return;
    const auto expect_wrong = [&](const std::string& other) {
      EXPECT_NE(compare_answers(gold, other, {}), Outcome::kCorrect) << report(gold, other);
    };
    expect_wrong(gold + "+1");
    expect_wrong(gold + ", 12345");
    expect_wrong(gold + " \\text{ or } 12345");
    expect_wrong("\\text{not } " + gold);
    expect_wrong("\\{\\}");
    expect_wrong("x = x");
    if (const size_t digit = gold.find_last_of("0123456789"); digit != std::string::npos) {
      std::string other = gold;
      other[digit] = static_cast<char>(other[digit] == '9' ? '8' : other[digit] + 1);
      const bool says_something = gold.find("0.") == std::string::npos || gold.back() != '0';
      if (says_something && gold.find('^') == std::string::npos &&
          gold.find("where") == std::string::npos)
        expect_wrong(other);
    }
  });
}

INSTANTIATE_TEST_SUITE_P(All, BenchmarkAnswers,
                         ::testing::Values("data/benchmarks/math500.jsonl",
                                           "data/benchmarks/minerva_math.jsonl",
                                           "data/benchmarks/olympiadbench.jsonl",
                                           "data/oneshot/dsr_sub.jsonl"));

// Both ways round the verdict is the same.
TEST(Properties, Symmetric) {
  const std::string path = testing::reference_path("data/oneshot/dsr_sub.jsonl");
  COVRL_REQUIRE_REFERENCE(path);
  std::vector<std::string> answers;
  read_jsonl(path, [&](int64_t, const Json& row) {
    const std::string answer = row.at("answer");
    if (!answer.empty()) answers.push_back(answer);
  });
  for (size_t i = 0; i < answers.size(); ++i)
    for (const size_t step : {1u, 17u, 400u}) {
      const std::string& a = answers[i];
      const std::string& b = answers[(i + step) % answers.size()];
      EXPECT_EQ(compare_answers(a, b, {}), compare_answers(b, a, {})) << report(a, b);
    }
}

}  // namespace
}  // namespace covrl
