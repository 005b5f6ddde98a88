// An option of a multiple choice as it is printed: its letter before what it says.
#pragma once

#include <string_view>
#include <vector>

#include "verifiers/lexer.h"

namespace covrl::math {

// C of C, (C), \text{C}, \textbf{(C)}: A to J; 0 when the gold is something else.
char choice_letter(const std::vector<Token>& gold);

// C of \textbf{(C)}\ 12, (C) 12, C) 12, C. 12, Option C, \text{Choice C}; 0 when the answer is
// something else, names another option too, or takes back what it says.
char printed_choice(std::string_view answer);

}  // namespace covrl::math
