#include "tests/fuzz/verify_checks.h"

#include <algorithm>

#include "core/error.h"
#include "verifiers/math_judge.h"
#include "verifiers/work_budget.h"

namespace covrl::testing {

std::string broken_promise(std::string_view input) {
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
  if (judge_math(response, gold, {}).outcome != judged.outcome)
    return "another verdict when asked again";

  if (compare_answers(gold, gold, {}) == Outcome::kWrong) return "a gold that differs from itself";
  const std::string hedged = gold + " \\text{ or not}";
  if (compare_answers(gold, hedged, {}) == Outcome::kCorrect && answer_parses(gold))
    return "a hedge is accepted";
  return {};
}

}  // namespace covrl::testing
