#include "rollout/degenerate_text.h"

#include <algorithm>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace covrl {
namespace {

constexpr int64_t kLongestPeriod = 64, kMinRepeats = 3, kMinLength = 16;

bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
bool is_word(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool continues_character(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

// Equal units get equal numbers.
std::vector<int64_t> units_of(std::string_view text) {
  std::vector<int64_t> units;
  std::unordered_map<std::string_view, int64_t> numbers;
  for (size_t begin = 0, end; begin < text.size(); begin = end) {
    end = begin + 1;
    if (is_space(text[begin])) continue;
    const auto belongs = is_word(text[begin]) ? is_word : continues_character;
    while (end < text.size() && belongs(text[end])) ++end;
    const auto number = static_cast<int64_t>(numbers.size());
    units.push_back(numbers.try_emplace(text.substr(begin, end - begin), number).first->second);
  }
  return units;
}

}  // namespace

Repetition longest_repetition(std::span<const int64_t> units) {
  Repetition best;
  const auto count = static_cast<int64_t>(units.size());
  const int64_t last_period = std::min(kLongestPeriod, count / kMinRepeats);
  for (int64_t period = 1; period <= last_period; ++period) {
    int64_t equal = 0, longest = 0;
    for (auto i = static_cast<size_t>(period); i < units.size(); ++i) {
      equal = units[i] == units[i - static_cast<size_t>(period)] ? equal + 1 : 0;
      longest = std::max(longest, equal);
    }
    const int64_t length = longest + period;
    if (length >= kMinRepeats * period && length > best.length) best = {period, length};
  }
  return best;
}

bool is_degenerate(std::span<const int64_t> tokens) {
  const int64_t length = longest_repetition(tokens).length;
  return length >= kMinLength && 2 * length >= static_cast<int64_t>(tokens.size());
}

bool is_degenerate(const std::string& text) { return is_degenerate(units_of(text)); }

}  // namespace covrl
