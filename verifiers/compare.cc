#include "verifiers/compare.h"

#include <string>
#include <vector>

#include "verifiers/normalise.h"
#include "verifiers/rational.h"

namespace covrl {

namespace {

constexpr size_t kMaxLength = 20000;  // beyond, answers are compared as strings only
constexpr size_t kMaxItems = 32;      // of an unordered list; matching is quadratic
constexpr int kMaxDepth = 4;          // lists of tuples of ...

using Items = std::vector<std::string_view>;

std::string_view trimmed(std::string_view text) {
  const size_t begin = text.find_first_not_of(' ');
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(' ') - begin + 1);
}

int depth_change(char c) {
  if (c == '(' || c == '[' || c == '{') return 1;
  return c == ')' || c == ']' || c == '}' ? -1 : 0;
}

const Items& list_separators() {
  static const std::string and_text = std::string{kTextBegin} + "and" + kTextEnd;
  static const Items separators = {",",
                                   ";",
                                   " and ",
                                   " or ",
                                   "\x01 and \x02",
                                   "\x01 or \x02",
                                   "\x01"
                                   "and\x02",
                                   "\x01"
                                   "or\x02",
                                   "\x01"
                                   "and \x02",
                                   "\x01"
                                   "or \x02",
                                   "\x01 or\x02",
                                   "\x01 and\x02"};
  return separators;
}

// Pieces between separators outside brackets; empty pieces next to a separator are left out (", and
// ").
Items split(std::string_view text, const Items& separators) {
  Items items;
  size_t begin = 0;
  int depth = 0;
  const auto add = [&](size_t end) {
    const std::string_view item = trimmed(text.substr(begin, end - begin));
    if (!item.empty()) items.push_back(item);
  };
  for (size_t at = 0; at < text.size();) {
    depth += depth_change(text[at]);
    size_t length = 0;
    if (depth == 0)
      for (const std::string_view separator : separators)
        if (text.substr(at).starts_with(separator)) length = separator.size();
    if (length > 0) {
      add(at);
      begin = at + length;
    }
    at += length > 0 ? length : 1;
  }
  add(text.size());
  return items;
}

// ( ... ) as a whole, the first bracket closed by the last: content without them.
struct Bracketed {
  char open = 0, close = 0;  // 0: none; '{' is a set
  std::string_view content;
};

Bracketed brackets_of(std::string_view text) {
  const bool set = text.starts_with("\\{");
  const size_t open_size = set ? 2 : 1;
  if (text.size() < 2 * open_size || depth_change(text[open_size - 1]) != 1) return {};
  if (!set && text[0] == '{') return {};
  int depth = 0;
  for (size_t at = 0; at < text.size(); ++at) {
    depth += depth_change(text[at]);
    if (depth == 0 && at > 0 && at + 1 < text.size() && !(set && at == 0)) return {};
    if (set && at == 0) continue;
  }
  if (depth != 0) return {};
  const size_t close_size = text.ends_with("\\}") ? 2 : 1;
  if (set != (close_size == 2)) return {};
  return {text[open_size - 1], text.back(),
          text.substr(open_size, text.size() - open_size - close_size)};
}

class Comparer {
 public:
  bool equal(std::string_view gold, std::string_view answer, int depth) const {
    gold = trimmed(gold);
    answer = trimmed(answer);
    if (gold.empty() || answer.empty()) return false;
    if (equal_as_text(gold, answer)) return true;
    if (depth == kMaxDepth || gold.size() > kMaxLength || answer.size() > kMaxLength) return false;
    gold = without_assignment(gold);
    answer = without_assignment(answer);
    const Items gold_parts = split(gold, {"\\cup"}), answer_parts = split(answer, {"\\cup"});
    if (gold_parts.size() > 1 || answer_parts.size() > 1)
      return equal_in_any_order(gold_parts, answer_parts, depth);
    return equal_lists(gold, answer, depth);
  }

 private:
  bool equal_lists(std::string_view gold, std::string_view answer, int depth) const {
    const Bracketed gold_brackets = brackets_of(gold), answer_brackets = brackets_of(answer);
    if (const auto inner = unwrapped(gold_brackets); !inner.empty())
      return equal(inner, answer, depth + 1);
    if (const auto inner = unwrapped(answer_brackets); !inner.empty())
      return equal(gold, inner, depth + 1);
    if (is_ordered(gold_brackets) || is_ordered(answer_brackets)) {
      return gold_brackets.open == answer_brackets.open &&
             gold_brackets.close == answer_brackets.close &&
             equal_in_order(split(gold_brackets.content, list_separators()),
                            split(answer_brackets.content, list_separators()), depth);
    }
    const Items gold_items = split(content_of(gold, gold_brackets), list_separators());
    const Items answer_items = split(content_of(answer, answer_brackets), list_separators());
    if (gold_items.size() != 1 || answer_items.size() != 1)
      return equal_in_any_order(gold_items, answer_items, depth);
    if (gold_brackets.open == '{' || answer_brackets.open == '{')
      return equal(gold_items[0], answer_items[0], depth + 1);
    return equal_scalars(gold, answer);
  }

  // (5) is 5.
  static std::string_view unwrapped(const Bracketed& brackets) {
    const bool round = brackets.open == '(' && brackets.close == ')';
    return round && split(brackets.content, list_separators()).size() == 1 ? brackets.content
                                                                           : std::string_view();
  }
  static bool is_ordered(const Bracketed& brackets) {
    return brackets.open == '(' || brackets.open == '[';
  }
  static std::string_view content_of(std::string_view text, const Bracketed& brackets) {
    return brackets.open == '{' ? brackets.content : text;
  }

  bool equal_in_order(const Items& gold, const Items& answer, int depth) const {
    if (gold.size() != answer.size() || gold.empty() || gold.size() > kMaxItems) return false;
    for (size_t i = 0; i < gold.size(); ++i)
      if (!equal(gold[i], answer[i], depth + 1)) return false;
    return true;
  }

  bool equal_in_any_order(const Items& gold, Items answer, int depth) const {
    if (gold.size() != answer.size() || gold.empty() || gold.size() > kMaxItems) return false;
    for (const std::string_view wanted : gold) {
      size_t place = 0;
      while (place < answer.size() && !equal(wanted, answer[place], depth + 1)) ++place;
      if (place == answer.size()) return false;
      answer.erase(answer.begin() + static_cast<std::ptrdiff_t>(place));
    }
    return true;
  }

  static bool equal_as_text(std::string_view gold, std::string_view answer) {
    return comparison_key(gold) == comparison_key(answer);
  }

  static bool equal_scalars(std::string_view gold, std::string_view answer) {
    gold = without_unit(gold);
    answer = without_unit(answer);
    const NumberResult wanted = parse_number(gold);
    if (!wanted.number) return equal_as_text(gold, answer);
    const NumberResult seen = parse_number(answer);
    return seen.number && numbers_equal(*wanted.number, *seen.number);
  }
};

}  // namespace

bool answers_equal(std::string_view gold, std::string_view answer) {
  return Comparer().equal(gold, answer, 0);
}

}  // namespace covrl
