// What stands about an answer and says nothing.
#pragma once

#include <vector>

#include "verifiers/lexer.h"

namespace covrl::math {

// Takes stars left over from emphasis, "therefore", ends of lines and "The answer is" away from the
// ends of `tokens`, and writes a date month first: 5 June as June 5.
void remove_decoration(std::vector<Token>& tokens);

}  // namespace covrl::math
