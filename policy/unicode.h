// Code points of UTF-8 text as the `tokenizers` library sees them.
//
// The classes are those of its regex engine (Unicode 16: ICU's data plus the letters and digits
// added since Unicode 15); NFC follows its normaliser's older data (Unicode 9): a character younger
// than that neither composes nor moves.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace covrl {

// Text with every maximal broken prefix of a UTF-8 sequence replaced by U+FFFD, as Python's
// errors="replace" does.
std::string replace_broken_utf8(std::string_view text);

// The code point at `position` of valid UTF-8, which moves past it. Precondition: position <
// text.size().
char32_t next_code_point(std::string_view text, size_t& position);
// The code point that ends at `position` of valid UTF-8, which moves to its first byte.
// Precondition: position > 0.
char32_t previous_code_point(std::string_view text, size_t& position);
void append_code_point(std::string& text, char32_t code_point);
// Number of code points of valid UTF-8.
size_t count_code_points(std::string_view text);

bool is_letter(char32_t code_point);  // \p{L}
bool is_number(char32_t code_point);  // \p{N}
bool is_space(char32_t code_point);   // \s: White_Space
bool is_word(char32_t code_point);    // \w: alphabetic, marks, decimal digits, connectors, joiners
bool is_printable(char32_t code_point);  // str.isprintable of Python

// Normalisation form C of valid UTF-8.
std::string normalize_nfc(std::string_view text);

// Full case mappings without a locale.
std::string to_upper(std::string_view text);
std::string to_lower(std::string_view text);
// Title-case mapping of one code point: the first letter of a word.
std::string to_title(char32_t code_point);

}  // namespace covrl
