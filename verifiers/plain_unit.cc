#include "verifiers/plain_unit.h"

#include <algorithm>
#include <initializer_list>
#include <string>

#include "verifiers/text.h"
#include "verifiers/vocabulary.h"
#include "verifiers/words.h"

namespace covrl {
namespace {

// Takes the first of `words` that begins the text.
bool take_any(std::string_view& text, std::initializer_list<std::string_view> words) {
  for (const std::string_view word : words)
    if (text.starts_with(word)) {
      text.remove_prefix(word.size());
      return true;
    }
  return false;
}

// Reads a tail word by word; a word may stand against the number ("5kg") or apart from it.
class TailReader {
 public:
  explicit TailReader(std::string_view text) : rest_(text) {}

  NumberTail read() {
    while (!rest_.empty() && is_good_)
      if (!take_space() && !take_sign() && !take_joint()) take_word();
    const bool is_unit =
        is_good_ && depth_ == 0 && !wants_word_ && num_words_ <= 2 && num_unknown_ <= 1;
    if (!is_unit) return NumberTail::kOther;
    return is_percent_ ? NumberTail::kPercent : NumberTail::kUnit;
  }

 private:
  bool take_space() {
    const size_t opening = math::text_opening_length(rest_);
    const bool opened = opening > 0;
    rest_.remove_prefix(opening);
    const bool closed = !opened && depth_ > 0 && take_any(rest_, {"}"});
    depth_ += opened - closed;
    const bool is_last_stop = rest_.size() == 1 && rest_[0] == '.';
    if (!opened && !closed && !is_last_stop &&
        !take_any(rest_, {" ", "\t", "\n", "\r", "~", "\\,", "\\;", "\\:", "\\ ", "\\quad"}))
      return false;
    if (is_last_stop) rest_ = {};
    is_apart_ = true;
    return true;
  }

  bool take_sign() {
    if (take_any(rest_, {"\\%", "%"})) {
      is_good_ = num_words_ == 0;
      is_percent_ = true;
    } else if (!take_any(rest_, {"^\\circ", "^{\\circ}", "^\\degree", "\\degree", "\xC2\xB0",
                                 "\xE2\x82\xAC" /* euro */, "\xC2\xA3" /* pound */,
                                 "\xC2\xA5" /* yen */, "\\Omega", "\xCE\xA9", "\xE2\x84\xA6"})) {
      return false;
    }
    count_word();
    return true;
  }

  // What joins two words to one unit, and the micro sign before one.
  bool take_joint() {
    const bool is_micro = take_any(rest_, {"\xC2\xB5", "\xCE\xBC", "\\mu"});
    if (!is_micro && !take_any(rest_, {"/", "-", "\\cdot", "\xC2\xB7"})) return false;
    is_good_ = is_micro || (num_words_ > 0 && !wants_word_);
    if (!is_micro) is_joined_ = true;
    wants_word_ = true;
    return true;
  }

  void take_word() {
    const size_t size = static_cast<size_t>(
        std::find_if_not(rest_.begin(), rest_.end(), is_letter) - rest_.begin());
    const std::string_view word = rest_.substr(0, size);
    rest_.remove_prefix(size);
    const std::string lower = lower_case(word);
    if (lower == "per") {
      is_good_ = num_words_ > 0 && !wants_word_;
      is_joined_ = wants_word_ = true;
    } else if (lower == "percent") {
      is_good_ = num_words_ == 0;
      is_percent_ = true;
      count_word();
    } else {
      is_good_ = size > 0 && is_unit(word, lower);
      count_word();
    }
  }

  // "5 K" is a temperature, "5K" five thousand, "5 xy" and "5xyz" are products.
  bool is_unit(std::string_view word, const std::string& lower) {
    if (!math::is_plain_word(lower)) return false;
    const bool against = num_words_ == 0 && !is_apart_ && !wants_word_;
    constexpr std::string_view kSafeAgainst = "mgshNJWVLl";
    if (against && word.size() == 1) return kSafeAgainst.find(word[0]) != std::string_view::npos;
    if (math::is_unit_word(lower) || math::is_unit_symbol(word)) return true;
    num_unknown_ += !math::is_filler(lower) && !is_joined_;
    return !against && word.size() >= 3;
  }

  void count_word() {
    if (!is_joined_) ++num_words_;
    is_joined_ = wants_word_ = false;
  }

  std::string_view rest_;
  int depth_ = 0;           // of \text{
  int num_words_ = 0;       // those joined to the one before not counted
  int num_unknown_ = 0;     // words that may be units or not
  bool is_apart_ = false;   // a space came first
  bool is_joined_ = false;  // the next word belongs to the one before
  bool wants_word_ = false;
  bool is_percent_ = false;
  bool is_good_ = true;
};

}  // namespace

NumberTail number_tail(std::string_view text) { return TailReader(text).read(); }

}  // namespace covrl
