// Words of answers: which are units, which change what is said.
#pragma once

#include <string_view>

namespace covrl::math {

// In lower case, but for is_unit_symbol, is_currency and usual_unit, where case tells units
// apart, and is_month.

// cm, miles, degrees, apples: a unit, or something often counted.
bool is_unit_word(std::string_view word);
// km, Hz, kPa: a symbol of the SI or a short one of everyday use, perhaps with its prefix.
bool is_unit_symbol(std::string_view word);
// USD, Rs: may stand before its number.
bool is_currency(std::string_view word);
// One spelling for a unit: "miles" -> "mi".
std::string_view usual_unit(std::string_view word);

// even, yes, true ...: an answer in one word, where it is all of it.
bool is_answer_word(std::string_view word);
// allrealnumbers, nosolution ...: what the words say together, without their spaces.
bool is_all_reals(std::string_view words);
bool is_no_solution(std::string_view words);
// January to December, written so.
bool is_month(std::string_view word);
// Beside a unit says nothing: "different" ways, "in total", cups "of" flour.
bool is_filler(std::string_view word);
// thousand, million ...: the power of ten; 0 when none.
int power_of_ten(std::string_view word);
// two to sixteen, as of a number's base; 0 when none.
int named_base(std::string_view word);
// six, third, tenths, dozen: a word that makes another number of the one before it.
bool is_number_word(std::string_view word);
// if, not, about, perhaps, plus, a number word ...: changes what is said, so no decoration.
bool changes_meaning(std::string_view word);
// not, wrong, maybe ...: the saying itself, whatever stands about it.
bool takes_back(std::string_view word);
// not, never, wrong, "least" of "at least" ...: a value after them is not the one that is meant.
bool denies(std::string_view word);

}  // namespace covrl::math
