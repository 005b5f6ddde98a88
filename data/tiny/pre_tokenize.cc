#include "data/tiny/pre_tokenize.h"

#include "core/error.h"

namespace covrl::tiny {
namespace {

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_newline(char c) { return c == '\n' || c == '\r'; }
bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
bool is_symbol(char c) { return !is_letter(c) && !is_digit(c) && !is_space(c); }

template <class Predicate>
size_t skip(std::string_view text, size_t at, Predicate predicate) {
  while (at < text.size() && predicate(text[at])) ++at;
  return at;
}

// End of 's, 't, 're, 've, 'm, 'll or 'd at `at`; `at` when there is none.
size_t contraction_end(std::string_view text, size_t at) {
  for (std::string_view word : {"'s", "'t", "'re", "'ve", "'m", "'ll", "'d"}) {
    bool equal = at + word.size() <= text.size();
    for (size_t i = 0; equal && i < word.size(); ++i) {
      const char c = text[at + i];
      equal = c == word[i] || (is_letter(c) && (c | 0x20) == word[i]);
    }
    if (equal) return at + word.size();
  }
  return at;
}

// White space up to its last line break; else all of it but the last blank when something follows.
size_t white_space_end(std::string_view text, size_t at) {
  const size_t end = skip(text, at, is_space);
  for (size_t last = end; last > at; --last)
    if (is_newline(text[last - 1])) return last;
  return end < text.size() && end - at > 1 ? end - 1 : end;
}

size_t piece_end(std::string_view text, size_t at) {
  if (const size_t end = contraction_end(text, at); end > at) return end;
  if (is_letter(text[at])) return skip(text, at, is_letter);
  const bool lead = !is_newline(text[at]) && !is_digit(text[at]);
  if (lead && at + 1 < text.size() && is_letter(text[at + 1])) return skip(text, at + 1, is_letter);
  if (is_digit(text[at])) return at + 1;
  const size_t symbols = text[at] == ' ' ? at + 1 : at;
  if (symbols < text.size() && is_symbol(text[symbols]))
    return skip(text, skip(text, symbols, is_symbol), is_newline);
  return white_space_end(text, at);
}

}  // namespace

const char* const kQwen2Pattern =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|)"
    R"(\s*[\r\n]+|\s+(?!\S)|\s+)";

void pre_tokenize(std::string_view text, const std::function<void(std::string_view)>& piece) {
  for (const char c : text) COVRL_CHECK(static_cast<unsigned char>(c) < 128, "not ASCII: ", text);
  for (size_t at = 0; at < text.size();) {
    const size_t end = piece_end(text, at);
    piece(text.substr(at, end - at));
    at = end;
  }
}

}  // namespace covrl::tiny
