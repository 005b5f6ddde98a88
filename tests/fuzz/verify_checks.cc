#include "tests/fuzz/verify_checks.h"

#include <algorithm>
#include <cstdint>

#include "core/error.h"
#include "verifiers/math_judge.h"
#include "verifiers/work_budget.h"

namespace covrl::testing {

namespace {

// FNV-1a.
uint64_t hash_of(std::string_view text) {
  uint64_t hash = 14695981039346656037ull;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211ull;
  return hash;
}

bool is_hedge_accepted(const std::string& gold) {
  return compare_answers(gold, gold + " \\text{ or not}", {}) == Outcome::kCorrect &&
         answer_parses(gold);
}

}  // namespace

std::string broken_promise(std::string_view input, Checks checks) {
  const size_t line_end = std::min(input.find('\n'), input.size());
  const std::string gold(input.substr(0, line_end));
  const std::string response(input.substr(std::min(line_end + 1, input.size())));

  Explanation explanation;
  const MathJudgement judged = judge_math(response, gold, {}, &explanation);
  // One step may ask for more than is left; no single one asks for this much.
  constexpr int64_t kLargestStep = 200'000;
  if (explanation.steps > WorkBudget::kSteps + kLargestStep)
    return concat(explanation.steps, " steps");
  if (judged.outcome == Outcome::kCorrect && judged.extracted.empty())
    return "correct without an answer";

  constexpr uint64_t kOneIn = 8;
  const uint64_t draw = (hash_of(input) >> 32) % kOneIn;
  const auto checked = [&](uint64_t number) { return checks == Checks::kAll || draw == number; };
  if (checked(0) && judge_math(response, gold, {}).outcome != judged.outcome)
    return "another verdict when asked again";
  if (checked(1) && compare_answers(gold, gold, {}) == Outcome::kWrong)
    return "a gold that differs from itself";
  if (checked(2) && is_hedge_accepted(gold)) return "a hedge is accepted";
  return {};
}

}  // namespace covrl::testing
