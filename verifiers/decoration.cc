// What stands around a value: `x =` before it, a unit after it.
#include <algorithm>
#include <cctype>
#include <string>
#include <unordered_set>

#include "verifiers/normalise.h"

namespace covrl {

namespace {

bool is_letter(char c) { return std::isalpha(static_cast<unsigned char>(c)) != 0; }

std::string_view trimmed(std::string_view text) {
  const size_t begin = text.find_first_not_of(' ');
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(' ') - begin + 1);
}

// Reads names: x, x_1, x_{min}, f', \theta, \angle ABC, |AB|, f(x), f(2), (x, y).
class NameReader {
 public:
  explicit NameReader(std::string_view text) : text_(text) {}

  bool whole() {
    bool good = take('(') ? list() : take('|') ? letters() && take('|') : name();
    if (good && take('(')) good = list();
    spaces();
    return good && at_ == text_.size();
  }

 private:
  void spaces() {
    while (at_ < text_.size() && text_[at_] == ' ') ++at_;
  }
  bool take(char c) {
    spaces();
    if (at_ == text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  bool letters() {
    const size_t begin = at_;
    while (at_ < text_.size() && is_letter(text_[at_])) ++at_;
    return at_ > begin;
  }
  bool list() {
    do {
      if (!number() && !name()) return false;
    } while (take(','));
    return take(')');
  }
  bool number() {
    spaces();
    const size_t begin = at_;
    while (at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9') ++at_;
    return at_ > begin;
  }
  bool name() {
    spaces();
    if (take(kTextBegin)) {
      while (at_ < text_.size() && (is_letter(text_[at_]) || text_[at_] == ' ')) ++at_;
      return take(kTextEnd);
    }
    if (take('\\')) {
      if (!letters()) return false;
      spaces();
      letters();
    } else {
      if (at_ == text_.size() || !is_letter(text_[at_])) return false;
      ++at_;
    }
    return subscript();
  }
  bool subscript() {
    if (take('_')) {
      if (take('{')) {
        const size_t close = text_.find('}', at_);
        if (close == std::string_view::npos) return false;
        at_ = close + 1;
      } else if (at_ < text_.size()) {
        ++at_;
      }
    }
    while (take('\'')) {
    }
    return true;
  }

  std::string_view text_;
  size_t at_ = 0;
};

bool is_comparison(std::string_view text, size_t equals) {
  return equals > 0 && std::string_view("<>!").find(text[equals - 1]) != std::string_view::npos;
}

// Words for units that may stand without markup; single letters are variables.
bool is_unit_word(const std::string& word) {
  static const std::unordered_set<std::string> words = {
      "cm",          "mm",      "km",     "meter",   "meters", "metre",      "metres",
      "centimeters", "inch",    "inches", "ft",      "foot",   "feet",       "yard",
      "yards",       "mile",    "miles",  "mph",     "kg",     "gram",       "grams",
      "lb",          "lbs",     "pound",  "pounds",  "ounces", "liter",      "liters",
      "gallon",      "gallons", "second", "seconds", "sec",    "minute",     "minutes",
      "min",         "hour",    "hours",  "hr",      "hrs",    "day",        "days",
      "week",        "weeks",   "month",  "months",  "year",   "years",      "degree",
      "degrees",     "radians", "dollar", "dollars", "cent",   "cents",      "unit",
      "units",       "square",  "cubic",  "per",     "sq",     "people",     "students",
      "ways",        "apples",  "points", "coins",   "times",  "kilometers", "kilograms",
      "euros",       "yuan"};
  return words.contains(word);
}

// Words that change what is said: no decoration.
bool changes_meaning(const std::string& word) {
  static const std::unordered_set<std::string> words = {
      "or",       "and",   "if",      "otherwise", "not",   "thousand", "million", "billion",
      "trillion", "dozen", "hundred", "pi",        "mod",   "am",       "pm",      "is",
      "no",       "when",  "except",  "at",        "least", "most",     "more",    "less",
      "than",     "about", "base",    "half",      "i",     "e",        "for",     "where"};
  return words.contains(word);
}

template <class Visit>
bool all_words(std::string_view text, Visit visit) {
  std::string word;
  for (size_t at = 0; at <= text.size(); ++at) {
    if (at < text.size() && is_letter(text[at])) {
      word += static_cast<char>(std::tolower(static_cast<unsigned char>(text[at])));
    } else if (!word.empty()) {
      if (!visit(word)) return false;
      word.clear();
    }
  }
  return true;
}

// Takes one piece of a unit off the end of `text`; false when none is there.
bool drop_unit_piece(std::string_view& text, bool inside_unit) {
  text = trimmed(text);
  if (text.empty()) return false;
  if (text.back() == kTextEnd) {
    const size_t begin = text.rfind(kTextBegin);
    if (begin == std::string_view::npos) return false;
    const std::string_view inside = text.substr(begin + 1, text.size() - begin - 2);
    if (!all_words(inside, [](const std::string& word) { return !changes_meaning(word); }))
      return false;
    text = text.substr(0, begin);
    return true;
  }
  for (const std::string_view power : {"^2", "^3", "^{2}", "^{3}", "^{-1}", "^{-2}"}) {
    std::string_view shorter = text;
    if (!text.ends_with(power)) continue;
    shorter.remove_suffix(power.size());
    if (!drop_unit_piece(shorter, inside_unit)) return false;
    text = shorter;
    return true;
  }
  if (inside_unit && (text.back() == '/' || text.back() == '*')) {
    text.remove_suffix(1);
    return true;
  }
  size_t begin = text.size();
  while (begin > 0 && is_letter(text[begin - 1])) --begin;
  if (begin == text.size() || begin == 0 || text[begin - 1] == '\\') return false;
  std::string word(text.substr(begin));
  std::transform(word.begin(), word.end(), word.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (!is_unit_word(word)) return false;
  text = text.substr(0, begin);
  return true;
}

}  // namespace

std::string_view without_assignment(std::string_view normalised) {
  constexpr size_t kLongestName = 40;
  const std::string_view head = normalised.substr(0, kLongestName);
  for (const std::string_view relation : {"=", "\\in", "\\approx"}) {
    const size_t at = head.find(relation);
    if (at == std::string_view::npos || is_comparison(head, at)) continue;
    const size_t after = at + relation.size();
    if (after < normalised.size() && relation.size() > 1 && is_letter(normalised[after])) continue;
    if (normalised.find('=', after) != std::string_view::npos) continue;
    const std::string_view value = trimmed(normalised.substr(after));
    if (!value.empty() && NameReader(head.substr(0, at)).whole()) return value;
  }
  const size_t at = normalised.find('=');  // 5 = x
  if (at == std::string_view::npos || at + kLongestName < normalised.size() ||
      is_comparison(normalised, at) || normalised.find('=', at + 1) != std::string_view::npos)
    return normalised;
  const std::string_view value = trimmed(normalised.substr(0, at));
  return !value.empty() && NameReader(normalised.substr(at + 1)).whole() ? value : normalised;
}

std::string_view without_unit(std::string_view normalised) {
  std::string_view text = normalised;
  constexpr int kMostPieces = 8;
  for (int piece = 0; piece < kMostPieces; ++piece)
    if (!drop_unit_piece(text, piece > 0)) break;
  text = trimmed(text);
  const bool has_value =
      std::any_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
  return has_value ? text : normalised;
}

}  // namespace covrl
