#include "rl/evaluation/reflection_words.h"

#include <algorithm>
#include <array>

namespace covrl {

namespace {

// Every byte beyond ASCII counts as part of a word.
bool is_word_byte(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || byte >= 0x80;
}

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return result;
}

bool is_inflection(std::string_view ending, bool dropped_e) {
  constexpr std::array<std::string_view, 6> kPlain = {"", "s", "es", "ed", "ing", "ings"};
  constexpr std::array<std::string_view, 7> kAfterE = {"e",    "es",  "ed",  "ing",
                                                       "ings", "ion", "ions"};
  return dropped_e ? std::find(kAfterE.begin(), kAfterE.end(), ending) != kAfterE.end()
                   : std::find(kPlain.begin(), kPlain.end(), ending) != kPlain.end();
}

bool has_inflected(std::string_view text, std::string_view word) {
  if (word.empty()) return false;
  const bool dropped_e = word.back() == 'e';
  const std::string_view stem = word.substr(0, word.size() - dropped_e);
  for (size_t at = text.find(stem); at != std::string_view::npos; at = text.find(stem, at + 1)) {
    if (at > 0 && is_word_byte(text[at - 1])) continue;
    size_t end = at + stem.size();
    while (end < text.size() && is_word_byte(text[end])) ++end;
    if (is_inflection(text.substr(at + stem.size(), end - at - stem.size()), dropped_e))
      return true;
  }
  return false;
}

}  // namespace

bool has_word(std::string_view text, const std::vector<std::string>& words) {
  const std::string lowered = lower(text);
  return std::any_of(words.begin(), words.end(),
                     [&](const std::string& word) { return has_inflected(lowered, lower(word)); });
}

}  // namespace covrl
