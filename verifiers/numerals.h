// Decimal literals.
#pragma once

#include <string>

#include "verifiers/expression.h"
#include "verifiers/work_budget.h"

namespace covrl::math {

// "12", ".5", "1.25e-3"; `repeat`: the digits that recur after it. Exact. Throws OverBudget when
// the value has more than kMostBits bits.
Node numeral(const std::string& text, const std::string& repeat, WorkBudget& budget);

// 10^exponent.
mpq_class ten_to(long exponent);

}  // namespace covrl::math
