// Units of mathematics that is not marked as text: 10 m/s, 60 km/h, 9.8
// \frac{\text{m}}{\text{s}^2}.
#pragma once

#include <vector>

#include "verifiers/lexer.h"

namespace covrl::math {

// `tokens` with the letters at their end as unit words, where these stand apart from a value and
// are symbols of units alone: with a quotient, a power of metres, or more than one letter, since
// one letter may be a variable. Empty when there are none. For answers whose gold has no variables.
std::vector<Token> with_bare_unit(const std::vector<Token>& tokens);

}  // namespace covrl::math
