// An answer as a data set states it.
#pragma once

#include <string>
#include <string_view>

namespace covrl {

// The part of a gold text that is the answer: what its boxes hold, or what a whole solution states,
// else all of it. Doubled backslashes of commands (\\frac) become single.
std::string gold_answer(std::string_view gold);

// Nothing in it but layout and stray punctuation: no answer.
bool is_blank_answer(std::string_view answer);

// A word that stands in answers without markup: a unit, "and", "sqrt", "percent".
bool is_word_of_answers(std::string_view word);

}  // namespace covrl
