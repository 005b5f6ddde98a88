// Tokens to tree, by recursive descent.
//
//   answer   := element ((, | ; | and | or) element)*           a list when there are several
//   element  := side ((= | < | > | \le | \in | ...) side)*
//   side     := union (: union)*                                 a ratio, a time of day
//   union    := sum ((\cup | \cap | \setminus) sum)*
//   sum      := [+ | - | \pm] term ((+ | - | \pm) term)*
//   term     := factor ((* | / | nothing) factor)* [unit]
//   factor   := primary (^ exponent | ! | % | degree | _ base)*
//   primary  := number | letter | ( answer ) | { answer } | |sum| | \frac | \sqrt | function | ...
#pragma once

#include "verifiers/expression.h"
#include "verifiers/lexer.h"
#include "verifiers/work_budget.h"

namespace covrl::math {

// A tree for every token sequence: kOpaque for what does not parse. Throws OverBudget beyond the
// bounds of WorkBudget.
const Node* parse_answer(const std::vector<Token>& tokens, Arena& arena, WorkBudget& budget);

}  // namespace covrl::math
