// What a problem may ask for, besides a name: m + n, a/b, a limit.
#pragma once

#include "verifiers/expression.h"

namespace covrl::math {

// Whether an answer may be stated as `quantity = value`: sums, products and quotients of different
// names (100m + n, ab, AB + BC, a^2 + b^2, f(1) + f(2)), and values of functions, limits, sums. Not
// what an equation leaves open: 2x, x + 1, x^2, |x|, x^2 + x.
bool is_asked_for(const Node& quantity);

}  // namespace covrl::math
