// The math verifier without its dress: extract, parse, compare.
#pragma once

#include <string>
#include <string_view>

#include "verifiers/explanation.h"
#include "verifiers/math_policy.h"
#include "verifiers/verifier.h"

namespace covrl {

struct MathJudgement {
  Outcome outcome = Outcome::kFailed;
  std::string extracted;  // empty when no answer was found
};

// Thread-safe; work and memory are bounded by WorkBudget. Fills `explanation` when it is not null.
MathJudgement judge_math(std::string_view response, std::string_view gold, const MathPolicy& policy,
                         Explanation* explanation = nullptr);

// Of two answers as they would stand in a box; the part of judge_math after extraction.
Outcome compare_answers(std::string_view gold, std::string_view answer, const MathPolicy& policy,
                        Explanation* explanation = nullptr);

// Whether an answer parses: no part of its tree is opaque. `form`, when given: the tree as text.
bool answer_parses(std::string_view answer, std::string* form = nullptr);

}  // namespace covrl
