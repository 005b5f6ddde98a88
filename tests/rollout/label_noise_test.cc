#include "rollout/label_noise.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <map>
#include <regex>
#include <set>

#include "core/error.h"
#include "rollout/prompt_source.h"
#include "tests/support/paths.h"
#include "verifiers/verifier.h"

namespace covrl {
namespace {

// Many wrong labels of one, each by draws of its own.
std::vector<std::string> wrong_labels(const std::string& label, uint64_t count = 2000) {
  std::vector<std::string> labels;
  for (uint64_t i = 0; i < count; ++i) {
    Sequence draws(7, Stream::kTest, 0, i);
    labels.push_back(wrong_label(label, draws).value_or("none"));
  }
  return labels;
}

TEST(LabelNoise, WholeNumbersMoveByUpToTenAndChangeTheirSign) {
  for (const int64_t number : {0, 5, 24, -3, 12345678}) {
    std::set<int64_t> possible, seen;
    for (int64_t step = 1; step <= 10; ++step)
      for (const int64_t moved : {number + step, number - step})
        for (const int64_t sign : {1, -1})
          if (sign * moved != number) possible.insert(sign * moved);
    for (const std::string& label : wrong_labels(std::to_string(number)))
      seen.insert(std::stoll(label));
    EXPECT_EQ(seen, possible) << number;
  }
}

TEST(LabelNoise, DecimalsKeepTheirDigits) {
  for (const auto& [label, value] :
       std::map<std::string, double>{{"12.8", 12.8}, {"-0.05", -0.05}, {".5", 0.5}}) {
    const size_t digits = label.size() - label.find('.') - 1;
    for (const std::string& wrong : wrong_labels(label, 200)) {
      ASSERT_TRUE(std::regex_match(wrong, std::regex("-?\\d+\\.\\d+"))) << wrong;
      EXPECT_EQ(wrong.size() - wrong.find('.') - 1, digits) << wrong;
      const double other = std::strtod(wrong.c_str(), nullptr);
      bool is_possible = false;
      for (int step = -10; step <= 10; ++step)
        for (const double sign : {1.0, -1.0})
          is_possible |= step != 0 && std::abs(other - sign * (value + step)) < 1e-9;
      EXPECT_TRUE(is_possible) << label << " -> " << wrong;
      EXPECT_NE(wrong, label);
    }
  }
}

TEST(LabelNoise, BothPartsOfAFractionMove) {
  std::set<int64_t> numerators, denominators;
  bool negative = false;
  for (const std::string& wrong : wrong_labels("\\frac{4}{3}")) {
    std::smatch match;
    ASSERT_TRUE(std::regex_match(wrong, match, std::regex(R"((-?)\\frac\{(\d+)\}\{(\d+)\})")))
        << wrong;
    const int64_t p = std::stoll(match[2]), q = std::stoll(match[3]);
    numerators.insert(p);
    denominators.insert(q);
    negative = negative || match[1].length() > 0;
    EXPECT_NE(p, 0);
    EXPECT_NE(q, 0);
    EXPECT_FALSE(p * 3 == 4 * q && match[1].length() == 0) << wrong;
  }
  EXPECT_TRUE(negative);
  EXPECT_EQ(*numerators.rbegin(), 14);
  EXPECT_EQ(*denominators.rbegin(), 13);
  EXPECT_TRUE(std::regex_match(wrong_labels("-\\dfrac{2023}{2024}", 1)[0],
                               std::regex(R"(-?\\dfrac\{\d+\}\{\d+\})")));
  EXPECT_TRUE(std::regex_match(wrong_labels("7/9", 1)[0], std::regex(R"(-?\d+/\d+)")));
}

TEST(LabelNoise, OtherLabelsHaveTheirFirstNumberMoved) {
  for (const std::string& wrong : wrong_labels("\\frac{3\\sqrt{2}}{2}", 200)) {
    std::smatch match;
    ASSERT_TRUE(std::regex_match(wrong, match, std::regex(R"(\\frac\{(\d+)\\sqrt\{2\}\}\{2\})")))
        << wrong;
    EXPECT_NE(match[1].str(), "3");
    EXPECT_GE(std::stoll(match[1]), 1);
    EXPECT_LE(std::stoll(match[1]), 13);
  }
  // Longer than any integer type.
  const std::string longest(40, '9');
  for (const std::string& wrong : wrong_labels(longest, 50)) {
    EXPECT_NE(wrong, longest);
    EXPECT_EQ(wrong.substr(0, 25), longest.substr(0, 25));
    EXPECT_EQ(wrong.size(), longest.size());
  }
  EXPECT_EQ(wrong_labels("1/0", 1)[0].substr(1), "/0");
  EXPECT_EQ(wrong_labels("(S_1,S_{2}) = (7,8)", 1)[0].substr(0, 14), "(S_1,S_{2}) = ");
  for (const std::string label : {"", "\\div", "\\text{odd}", "x_1"})
    EXPECT_EQ(wrong_labels(label, 1)[0], "none") << label;
}

std::vector<Prompt> problems(int64_t count, int64_t copies = 1) {
  std::vector<Prompt> rows;
  for (int64_t copy = 0; copy < copies; ++copy)
    for (int64_t i = 0; i < count; ++i) {
      rows.emplace_back();
      rows.back().id = std::to_string(i);
      rows.back().gold = std::to_string(100 + i);
    }
  return rows;
}

std::vector<std::string> golds(const std::vector<Prompt>& rows) {
  std::vector<std::string> result;
  for (const Prompt& row : rows) result.push_back(row.gold);
  return result;
}

TEST(LabelNoise, TheShareIsExactAndTheSeedDecides) {
  const std::vector<std::string> before = golds(problems(50));
  for (const double share : {0.0, 0.6, 0.9, 1.0}) {
    std::vector<Prompt> rows = problems(50), again = problems(50), other = problems(50);
    const LabelNoiseCounts counts = add_label_noise(rows, share, 1);
    add_label_noise(again, share, 1);
    add_label_noise(other, share, 2);
    int64_t num_changed = 0;
    for (size_t i = 0; i < rows.size(); ++i) num_changed += rows[i].gold != before[i];
    EXPECT_EQ(num_changed, std::llround(share * 50));
    EXPECT_EQ(counts.num_wrong, num_changed);
    EXPECT_EQ(golds(rows), golds(again));
    EXPECT_EQ(golds(rows) == golds(other), share == 0.0);
  }
}

TEST(LabelNoise, CopiesOfAProblemGetOneLabel) {
  std::vector<Prompt> once = problems(20), copies = problems(20, 3);
  add_label_noise(once, 0.5, 4);
  EXPECT_EQ(add_label_noise(copies, 0.5, 4).num_problems, 20);
  for (size_t i = 0; i < copies.size(); ++i) EXPECT_EQ(copies[i].gold, once[i % 20].gold);
}

TEST(LabelNoise, LabelsWithoutANumberAreLeftAndMayBeTooMany) {
  std::vector<Prompt> rows = problems(4);
  rows[1].gold = "\\div";
  EXPECT_EQ(add_label_noise(rows, 0.75, 1).num_without_number, 1);
  EXPECT_EQ(rows[1].gold, "\\div");
  rows = problems(4);
  rows[1].gold = "\\div";
  try {
    add_label_noise(rows, 1, 1);
    ADD_FAILURE() << "no error";
  } catch (const Error& error) {
    const std::string message = error.what();
    for (const std::string part : {"data.label_noise", "of 4 problems", "1 hold no number"})
      EXPECT_NE(message.find(part), std::string::npos) << message;
  }
}

// No wrong label is right: not even by the verifier that trains on it.
TEST(LabelNoise, DsrSubCorruptedIsWrong) {
  const std::string path = testing::reference_path("data/oneshot/dsr_sub.parquet");
  COVRL_REQUIRE_REFERENCE(path);
  const std::vector<Prompt> right = read_prompts(path, {});
  std::vector<Prompt> wrong = right;
  const LabelNoiseCounts counts = add_label_noise(wrong, 0.9, 1);
  EXPECT_EQ(counts.num_problems, 1209);
  EXPECT_EQ(counts.num_wrong, 1088);
  EXPECT_EQ(counts.num_without_number, 8);
  const std::unique_ptr<Verifier> verifier = make_verifier("math_boxed");
  int64_t num_changed = 0;
  for (size_t i = 0; i < right.size(); ++i) {
    if (wrong[i].gold == right[i].gold) continue;
    ++num_changed;
    const std::string answer = "\\boxed{" + right[i].gold + "}";
    VerifyRequest request;
    request.response = answer;
    request.gold = wrong[i].gold;
    EXPECT_NE(verifier->verify(request).outcome, Outcome::kCorrect)
        << right[i].id << ": " << right[i].gold << " -> " << wrong[i].gold;
  }
  EXPECT_EQ(num_changed, 1088);
}

}  // namespace
}  // namespace covrl
