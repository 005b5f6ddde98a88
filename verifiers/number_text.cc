#include "verifiers/number_text.h"

#include <algorithm>

#include "verifiers/text.h"

namespace covrl::math {

namespace {

class Reader {
 public:
  Reader(std::string_view text, size_t at, Separators separators)
      : text_(text), at_(at), separators_(separators) {}

  NumberText run() {
    const size_t first = digits();
    const bool padded = first > 1 && number_.text[0] == '0';
    if (first >= 1 && first <= 3 && !padded) thousands();
    if (!point()) exponent();
    number_.end = at_;
    return std::move(number_);
  }

 private:
  char now(size_t ahead = 0) const {
    return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
  }

  size_t digits() {
    const size_t begin = at_;
    while (is_digit(now())) ++at_;
    number_.text += text_.substr(begin, at_ - begin);
    return at_ - begin;
  }

  enum class Separator { kNone, kComma, kSpace, kSure };
  // The separator at `at`, which moves past it.
  Separator separator(size_t& at) const {
    const std::string_view rest = text_.substr(at);
    for (const std::string_view sure : {"{,}", ",\\!", "\\!,\\!", "\\,"})
      if (separators_.sure && rest.starts_with(sure)) {
        at += sure.size();
        while (at < text_.size() && text_[at] == ' ') ++at;
        return Separator::kSure;
      }
    if (separators_.commas && rest.starts_with(",")) return ++at, Separator::kComma;
    if (!separators_.spaces) return Separator::kNone;
    for (const std::string_view space :
         {" ", "~", "\\ ", "\\;", "\\:", "\xC2\xA0", "\xE2\x80\xAF", "\xE2\x80\x89"})
      if (rest.starts_with(space)) {
        at += space.size();
        return Separator::kSpace;
      }
    return Separator::kNone;
  }

  // Groups of three behind the same separator; a group of another length means that they are no
  // groups, unless the separator is sure.
  void thousands() {
    std::string grouped = number_.text;
    size_t end = at_;
    Separator seen = Separator::kNone;
    bool padded = false;  // 000 is part of a number and none itself
    for (;;) {
      size_t group = end;
      const Separator separator = this->separator(group);
      size_t after = group;
      while (after < text_.size() && is_digit(text_[after])) ++after;
      if (separator == Separator::kNone || after == group) break;
      if (after - group != 3 || (seen != Separator::kNone && seen != separator)) {
        if (separator != Separator::kSure) return;
        break;
      }
      padded |= text_[group] == '0';
      seen = separator;
      grouped += text_.substr(group, 3);
      end = after;
    }
    number_.text = grouped;
    number_.may_be_list = seen == Separator::kComma && !padded;
    at_ = end;
  }

  // The point and what follows it; true when the number ends there.
  bool point() {
    const bool braced = text_.substr(at_).starts_with("{.}");
    if (!braced && (now() != '.' || now(1) == '.')) return false;
    at_ += braced ? 3 : 1;
    number_.text += '.';
    if (digits() > 0) return repeating();
    number_.text.pop_back();
    const bool repeats = repeating();
    if (number_.text.empty()) number_.text = "0";  // .\overline{3}
    return repeats;
  }

  // \overline{27}, \bar{27}, \dot{2}
  bool repeating() {
    const std::string_view rest = text_.substr(at_);
    size_t begin = 0;
    for (const std::string_view mark : {"\\overline", "\\bar", "\\dot"})
      if (rest.starts_with(mark)) begin = mark.size();
    if (begin == 0) return false;
    const bool braced = begin < rest.size() && rest[begin] == '{';
    begin += braced;
    size_t end = begin;
    while (end < rest.size() && is_digit(rest[end]) && (braced || end == begin)) ++end;
    if (end == begin || (braced && (end == rest.size() || rest[end] != '}'))) return false;
    number_.repeat = rest.substr(begin, end - begin);
    at_ += end + braced;
    return true;
  }

  // e-10, E+33
  void exponent() {
    if (now() != 'e' && now() != 'E') return;
    size_t digit = at_ + 1;
    if (now(1) == '+' || now(1) == '-') ++digit;
    size_t end = digit;
    while (end < text_.size() && is_digit(text_[end])) ++end;
    if (end == digit || (end < text_.size() && is_letter(text_[end]))) return;
    number_.text += 'e';
    number_.text += text_.substr(at_ + 1, end - at_ - 1);
    at_ = end;
  }

  std::string_view text_;
  size_t at_;
  Separators separators_;
  NumberText number_;
};

}  // namespace

bool starts_number(std::string_view text, size_t at) {
  if (is_digit(text[at])) return true;
  if (text[at] != '.') return false;
  std::string_view rest = text.substr(at + 1);
  for (const std::string_view mark : {"\\overline{", "\\bar{"})
    if (rest.starts_with(mark)) {
      rest.remove_prefix(mark.size());
      const size_t end = std::min(rest.size(), rest.find_first_not_of("0123456789"));
      return end > 0 && rest.substr(end).starts_with('}');
    }
  return !rest.empty() && is_digit(rest[0]);
}

NumberText read_number(std::string_view text, size_t at, Separators separators) {
  return Reader(text, at, separators).run();
}

}  // namespace covrl::math
