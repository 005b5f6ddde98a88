// What the lexer asks of the text ahead.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace covrl::math {

// The code point at `at` and its length; 0xFFFD of length 1 when the bytes are no UTF-8.
struct CodePoint {
  char32_t value;
  size_t length;
};
CodePoint code_point(std::string_view text, size_t at);

// Full-width ASCII, as keyboards of East Asia write it, as ASCII.
std::string half_width(std::string_view text);

// Length of the [2pt] of \\[2pt] that `text` begins with; 0 when there is none.
size_t gap_length(std::string_view text);

// Past the letters at `at`.
size_t letters_end(std::string_view text, size_t at);

// Past the short {argument} at `at`; `at` itself when there is none.
size_t argument_end(std::string_view text, size_t at);

// Length of the a.m., pm ... that `text` begins with; 0 when it is something else.
size_t half_of_day_length(std::string_view text);

// Past the percent, pct, per cent ... that begins at `at`; 0 when it is something else.
size_t percent_end(std::string_view text, size_t at);

// Whether a number comes next, but for spaces: 5 of "Rs. 5".
bool is_before_number(std::string_view text, size_t at);

// Symbols of units and what joins them: m/s^2, kg\,m^{-3}, k\Omega.
bool is_unit_formula(std::string_view text);

// Words, where a single letter is text too ("a circle", "m/s"); not "(A)", nor letters and digits.
bool is_phrase(std::string_view text);

}  // namespace covrl::math
