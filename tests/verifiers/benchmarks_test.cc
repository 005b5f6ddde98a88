// The gold answers of the benchmarks: all parse but those that are listed, and each equals itself.
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "core/jsonl.h"
#include "tests/support/paths.h"
#include "verifiers/math_judge.h"

namespace covrl {
namespace {

// What no parser should read, with the reason.
const std::set<std::string> kUnparsed = {
    "",                                                                     // no answer
    "\\div",                                                                // an operator
    "\\frac{2 k n}{n+k-1}-2 \\frac{k!n!}{(k+n-1)!",                         // cut off
    "(1001)_2, (3021)_4, (3032)_5, (3B/5, B/5-1, 4B/5-1, 2B/5)_B, 5 | B"};  // a remark

class Benchmark : public ::testing::TestWithParam<const char*> {};

TEST_P(Benchmark, GoldAnswersParseAndEqualThemselves) {
  const std::string path = testing::reference_path(GetParam());
  COVRL_REQUIRE_REFERENCE(path);
  read_jsonl(path, [&](int64_t, const Json& row) {
    const std::string gold = row.at("answer");
    std::string form;
    EXPECT_EQ(answer_parses(gold, &form), !kUnparsed.contains(gold)) << gold << " -> " << form;
    if (kUnparsed.contains(gold)) return;
    Explanation explanation;
    EXPECT_EQ(compare_answers(gold, gold, {}, &explanation), Outcome::kCorrect) << gold;
    EXPECT_NE(explanation.compared, "as they are written") << gold << " -> " << explanation.gold;
    EXPECT_EQ(judge_math("So \\boxed{" + gold + "}.", gold, {}).outcome, Outcome::kCorrect) << gold;
  });
}

INSTANTIATE_TEST_SUITE_P(
    All, Benchmark,
    ::testing::Values("data/benchmarks/math500.jsonl", "data/benchmarks/minerva_math.jsonl",
                      "data/benchmarks/olympiadbench.jsonl", "data/benchmarks/aime24.jsonl",
                      "data/benchmarks/aime25.jsonl", "data/benchmarks/amc23.jsonl",
                      "data/benchmarks/gsm8k_test.jsonl", "data/oneshot/dsr_sub.jsonl"));

}  // namespace
}  // namespace covrl
