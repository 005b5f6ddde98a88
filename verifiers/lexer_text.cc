#include "verifiers/lexer_text.h"

#include <algorithm>

#include "verifiers/text.h"
#include "verifiers/words.h"

namespace covrl::math {

CodePoint code_point(std::string_view text, size_t at) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(at);
  const size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : first >= 0xC0 ? 2 : 1;
  if (length == 1 || at + length > text.size()) return {U'\uFFFD', 1};
  char32_t value = first & (0xFFu >> (length + 1));
  for (size_t i = 1; i < length; ++i) {
    if ((byte(at + i) & 0xC0) != 0x80) return {U'\uFFFD', 1};
    value = (value << 6) | (byte(at + i) & 0x3Fu);
  }
  return {value, length};
}

std::string half_width(std::string_view text) {
  std::string result;
  for (size_t at = 0; at < text.size();) {
    const CodePoint c = code_point(text, at);
    constexpr char32_t kFirst = U'\uFF01', kLast = U'\uFF5E';
    if (c.value >= kFirst && c.value <= kLast)
      result += static_cast<char>('!' + (c.value - kFirst));
    else
      result += text.substr(at, c.length);
    at += c.length;
  }
  return result;
}

size_t gap_length(std::string_view text) {
  constexpr size_t kLongest = 16;
  const size_t close = text.substr(0, kLongest).find(']');
  const bool is_gap = text.starts_with('[') && close != std::string_view::npos && close > 3 &&
                      is_letter(text[close - 1]) && is_letter(text[close - 2]) &&
                      is_digit(text[close - 3]);
  return is_gap ? close + 1 : 0;
}

size_t letters_end(std::string_view text, size_t at) {
  while (at < text.size() && is_letter(text[at])) ++at;
  return at;
}

size_t argument_end(std::string_view text, size_t at) {
  constexpr size_t kLongest = 40;
  const std::string_view next = text.substr(at, kLongest);
  const size_t close = next.find('}');
  return next.starts_with('{') && close != std::string_view::npos ? at + close + 1 : at;
}

size_t half_of_day_length(std::string_view text) {
  const std::string lower = lower_case(text.substr(0, 4));
  if (lower.empty() || (lower[0] != 'a' && lower[0] != 'p')) return 0;
  const bool dotted = lower.starts_with("a.m") || lower.starts_with("p.m");
  if (!dotted && lower.substr(1, 1) != "m") return 0;
  const size_t length = dotted ? 3 : 2;
  if (lower.size() > length && is_letter(lower[length])) return 0;
  return length + (dotted && lower.size() > length && lower[length] == '.');
}

size_t percent_end(std::string_view text, size_t at) {
  size_t end = letters_end(text, at);
  if (lower_case(text.substr(at, end - at)) == "per" && text.substr(end).starts_with(' '))
    end = letters_end(text, end + 1);
  const std::string word = lower_case(text.substr(at, end - at));
  for (const std::string_view percent : {"percent", "per cent", "pct", "percentage"})
    if (word == percent) return end;
  return 0;
}

bool is_before_number(std::string_view text, size_t at) {
  const std::string_view rest = text.substr(std::min(at, text.size()));
  const size_t next = rest.find_first_not_of(" .~}");
  return next != std::string_view::npos && is_digit(rest[next]);
}

namespace {

// Past the ^2 or ^{-1} at `at`; `at` itself when there is none.
size_t power_end(std::string_view text, size_t at) {
  const size_t begin = at;
  if (text[at] != '^') return begin;
  const bool braced = text.substr(++at).starts_with('{');
  at += braced;
  at += text.substr(at).starts_with('-');
  const size_t digits = at;
  while (at < text.size() && is_digit(text[at])) ++at;
  if (at == digits || (braced && !text.substr(at).starts_with('}'))) return begin;
  return at + braced;
}

}  // namespace

bool is_unit_formula(std::string_view text) {
  bool is_found = false;
  for (size_t at = 0; at < text.size();) {
    const std::string_view rest = text.substr(at);
    size_t next = is_found ? power_end(text, at) : at;
    for (const std::string_view joint : {"\\cdot", "\\,", "\\;", "\\ ", " ", "~", "/", "·"})
      if (next == at && rest.starts_with(joint)) next = at + joint.size();
    for (const std::string_view symbol : {"\\Omega", "\\mu", "\\AA", "²", "³"})
      if (next == at && rest.starts_with(symbol)) {
        next = at + symbol.size();
        is_found = true;
      }
    if (next == at) {
      next = letters_end(text, at);
      const std::string_view word = text.substr(at, next - at);
      if (!is_unit_symbol(word) && !is_unit_word(lower_case(word))) return false;
      is_found = true;
    }
    at = next;
  }
  return is_found;
}

bool is_phrase(std::string_view text) {
  int run = 0, letters = 0;
  for (const char c : text) {
    run = is_letter(c) ? run + 1 : 0;
    letters += is_letter(c);
    if (run > 1) return true;
  }
  return letters > 1 && std::none_of(text.begin(), text.end(), is_digit);
}

}  // namespace covrl::math
