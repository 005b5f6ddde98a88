// An answer as written, without its decoration.
#pragma once

#include <string>
#include <string_view>

namespace covrl {

// LaTeX and Unicode spelling removed: math delimiters, sizes (\left, \displaystyle), fonts,
// spacing, currency and degree signs, markup around \text; \dfrac, \tfrac -> \frac with braced
// arguments; \cdot, \times, \div -> * and /; \leq -> <=; words and commands for percent -> %;
// thousands separators -> nothing; trailing period dropped. What a text command enclosed stands
// between kTextBegin and kTextEnd. Empty when nothing is left, or when the answer holds control
// characters. Time is linear.
std::string normalise(std::string_view answer);

inline constexpr char kTextBegin = '\x01';
inline constexpr char kTextEnd = '\x02';

// For comparing answers as strings: spaces, text marks and braces around single characters gone,
// words in lower case.
std::string comparison_key(std::string_view normalised);

// `x = 5`, `5 = x` -> `5`, `f(x) = x^2` -> `x^2`, `x \in S` -> `S`; anything else as it is.
std::string_view without_assignment(std::string_view normalised);

// `15 cm^2`, `20\text{ miles}` -> `15`, `20`; anything else as it is. Units are text or words of a
// fixed list.
std::string_view without_unit(std::string_view normalised);

}  // namespace covrl
