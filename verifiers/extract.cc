#include "verifiers/extract.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <utility>

#include "verifiers/answer_text.h"
#include "verifiers/boxes.h"
#include "verifiers/text.h"
#include "verifiers/words.h"

namespace covrl {

namespace {

bool is_blank(std::string_view answer) { return is_blank_answer(answer); }

// Reads what stands between two boxes: "$, $", " and ", "\\text{ for part (a) and }", " or $y = $".
class Gap {
 public:
  explicit Gap(std::string_view text) : text_(text) {}

  // True when it makes the boxes one list.
  bool joins() {
    constexpr size_t kLongest = 60;
    if (text_.size() > kLongest) return false;
    while (at_ < text_.size())
      if (!piece()) return false;
    return joined_ && !name_open_;
  }

 private:
  bool piece() {
    const char c = text_[at_];
    if (c == '\\') return command();
    if (is_letter(c)) return word();
    if (c == '=') return std::exchange(name_open_, false) && advance(1);
    if (c == '_') return name_open_ && subscript();
    if (c == ',' || c == ';') joined_ = true;
    if (c == '(' && at_ + 2 < text_.size() && is_letter(text_[at_ + 1]) && text_[at_ + 2] == ')')
      return advance(3);
    return std::string_view(",; \t\r\n${}~").find(c) != std::string_view::npos && advance(1);
  }

  bool advance(size_t n) {
    at_ += n;
    return true;
  }

  std::string_view letters() {
    const size_t begin = at_;
    while (at_ < text_.size() && is_letter(text_[at_])) ++at_;
    return text_.substr(begin, at_ - begin);
  }

  bool command() {
    if (at_ + 1 < text_.size() && !is_letter(text_[at_ + 1])) return advance(2);
    ++at_;
    const std::string_view name = letters();
    return name == "text" || name == "textrm" || name == "mbox" || name == "quad" ||
           name == "qquad" || name == "mathrm";
  }

  bool word() {
    const std::string_view word = letters();
    joined_ |= word == "and" || word == "or";
    if (word.size() == 1) return name_open_ = true;  // y of "y = "
    for (const std::string_view allowed : {"and", "or", "for", "part", "parts", "respectively"})
      if (word == allowed) return true;
    return false;
  }

  bool subscript() {
    ++at_;
    if (at_ < text_.size() && text_[at_] == '{') ++at_;
    while (at_ < text_.size() && (is_digit(text_[at_]) || is_letter(text_[at_]))) ++at_;
    return true;
  }

  std::string_view text_;
  size_t at_ = 0;
  bool joined_ = false;
  bool name_open_ = false;
};

Extraction from_boxes(std::string_view text, const BoxScan& scan) {
  if (!scan.last_is_complete || scan.boxes.empty()) return {};
  size_t first = scan.boxes.size() - 1;
  while (first > 0 && Gap(text.substr(scan.boxes[first - 1].end,
                                      scan.boxes[first].begin - scan.boxes[first - 1].end))
                          .joins())
    --first;
  std::string answer;
  for (size_t i = first; i < scan.boxes.size(); ++i) {
    if (is_blank(scan.boxes[i].content)) return {};
    answer += (i == first ? "" : ", ") + std::string(trimmed(scan.boxes[i].content));
  }
  return {AnswerSource::kBox, std::move(answer)};
}

// Where the text after an answer phrase begins, given the end of the word "answer"; npos when no
// phrase is there.
size_t after_answer_word(std::string_view lower, size_t at) {
  const std::string_view rest = lower.substr(at, 24);
  const bool is_plural = rest.starts_with('s');
  const size_t mark = rest.find_first_not_of("* \t", is_plural ? 1 : 0);
  if (mark == std::string_view::npos) return std::string_view::npos;
  if (rest[mark] == ':') return at + mark + 1;
  const std::string_view verb = is_plural ? "are" : "is";
  const size_t end = mark + verb.size();
  if (rest.substr(mark).starts_with(verb) && end < rest.size() &&
      !std::isalnum(static_cast<unsigned char>(rest[end])))
    return at + end;
  return std::string_view::npos;
}

size_t find_phrase(std::string_view text) {
  const std::string lower = lower_case(text);
  size_t found = std::string_view::npos;
  for (const std::string_view word : {"answer", "correct option", "correct choice"})
    for (size_t at = lower.rfind(word); at != std::string::npos;
         at = at == 0 ? std::string::npos : lower.rfind(word, at - 1)) {
      const size_t after = after_answer_word(lower, at + word.size());
      if (after == std::string::npos) continue;
      found = found == std::string::npos ? after : std::max(found, after);
      break;
    }
  constexpr std::string_view kHashes = "####";
  const size_t hashes = lower.rfind(kHashes);
  if (hashes == std::string::npos) return found;
  const size_t after = hashes + kHashes.size();
  return found == std::string::npos || after > found ? after : found;
}

struct Delimiters {
  std::string_view open, close;
};
constexpr std::array<Delimiters, 4> kMath = {
    {{"$$", "$$"}, {"$", "$"}, {"\\(", "\\)"}, {"\\[", "\\]"}}};

// The formula that `text` begins with, empty when there is none.
std::string_view first_formula(std::string_view text) {
  for (const Delimiters& math : kMath) {
    if (!text.starts_with(math.open)) continue;
    const size_t close = text.find(math.close, math.open.size());
    if (close != std::string_view::npos)
      return text.substr(math.open.size(), close - math.open.size());
  }
  return {};
}

std::string_view last_formula(std::string_view text) {
  std::string_view found;
  for (const Delimiters& math : kMath) {
    const size_t close = text.rfind(math.close);
    if (close == std::string_view::npos || close == 0) continue;
    const size_t open = text.rfind(math.open, close - 1);
    if (open == std::string_view::npos || open + math.open.size() > close) continue;
    const std::string_view inside =
        text.substr(open + math.open.size(), close - open - math.open.size());
    if (trimmed(inside).empty()) continue;
    if (found.empty() || inside.data() + inside.size() > found.data() + found.size())
      found = inside;
  }
  return trimmed(found);
}

// A comma before three digits, which belongs to a number.
bool is_separator(std::string_view text, size_t at) {
  if (text[at] != ',' || at + 3 >= text.size()) return false;
  return is_digit(text[at + 1]) && is_digit(text[at + 2]) && is_digit(text[at + 3]) &&
         (at + 4 == text.size() || !is_digit(text[at + 4]));
}

std::string_view last_number(std::string_view text) {
  size_t end = text.size();
  while (end > 0 && !is_digit(text[end - 1])) --end;
  size_t begin = end;
  while (begin > 0 && (is_digit(text[begin - 1]) || text[begin - 1] == '.' ||
                       text[begin - 1] == '/' || is_separator(text, begin - 1)))
    --begin;
  while (begin < end && !is_digit(text[begin]) && text[begin] != '.') ++begin;
  if (begin > 0 && begin < end && text[begin - 1] == '-') --begin;
  return text.substr(begin, end - begin);
}

// The last formula, or the last number when it stands later.
std::string_view last_value(std::string_view text) {
  const std::string_view formula = last_formula(text), number = last_number(text);
  const bool number_is_later = !number.empty() && number.data() > formula.data() + formula.size();
  return formula.empty() || number_is_later ? number : formula;
}

// Words of a sentence rather than of an answer. Arguments of commands do not count.
bool has_prose(std::string_view text) {
  for (size_t at = 0; at < text.size();) {
    if (text[at] == '\\') {
      ++at;
      while (at < text.size() && is_letter(text[at])) ++at;
      if (at < text.size() && text[at] == '{') at = std::min(text.find('}', at), text.size());
      continue;
    }
    const size_t begin = at;
    while (at < text.size() && is_letter(text[at])) ++at;
    if (at - begin > 1 && !is_word_of_answers(text.substr(begin, at - begin))) return true;
    if (at == begin) ++at;
  }
  return false;
}

// Whether a word of `text` denies what follows: "is not", "at most".
bool has_denial(std::string_view text) {
  for (size_t at = 0; at < text.size();) {
    const size_t begin = at;
    while (at < text.size() && is_letter(text[at])) ++at;
    if (math::denies(lower_case(text.substr(begin, at - begin)))) return true;
    if (at == begin) ++at;
  }
  return false;
}

// The part of `text` before `value`, which is a piece of it.
std::string_view before(std::string_view text, std::string_view value) {
  return text.substr(0, static_cast<size_t>(value.data() - text.data()));
}

// What follows `value` when the next words deny it: "5 is not the answer", "5 cannot be right".
// Words further on, and those behind "which", may speak of something else.
std::string_view denial_after(std::string_view text, std::string_view value) {
  const std::string_view rest = text.substr(before(text, value).size() + value.size());
  const std::string_view clause = rest.substr(0, rest.find_first_of(".,;:!?\n"));
  constexpr int kMostWords = 4;
  for (size_t at = 0, words = 0; words < kMostWords && at < clause.size(); ++words) {
    while (at < clause.size() && !is_letter(clause[at])) ++at;
    const size_t begin = at;
    while (at < clause.size() && is_letter(clause[at])) ++at;
    const std::string word = lower_case(clause.substr(begin, at - begin));
    if (word == "which" || word == "that" || word == "because" || word == "since" || word == "as")
      break;
    if (word != "without" && math::denies(word)) return clause;
  }
  return {};
}

// What a statement of the answer says, up to the end of its sentence; all of the sentence when it
// denies its value, since that equals nothing.
std::string_view stated_answer(std::string_view text) {
  text = text.substr(std::min(text.size(), text.find_first_not_of(" \t\r\n:*")));
  const std::string_view formula = first_formula(text);
  std::string_view sentence = text.substr(0, text.find('\n'));
  for (const std::string_view reason : {". ", " since ", " because ", "(since ", "(because "})
    sentence = sentence.substr(0, sentence.find(reason));
  sentence = trimmed(sentence, " \t\r\n*.,");
  const auto end = [](std::string_view part) { return part.data() + part.size(); };
  constexpr int kLongestDelimiter = 2;
  if (!formula.empty() &&
      (end(formula) + kLongestDelimiter >= end(sentence) || has_prose(sentence)))
    return formula;
  constexpr size_t kLongestWords = 40;
  const std::string_view value = last_value(sentence);
  const bool only_words = sentence.size() <= kLongestWords && value.empty();
  if (!has_prose(sentence) || only_words) return sentence;
  if (value.empty()) return value;
  const bool denied = has_denial(before(sentence, value)) || !denial_after(sentence, value).empty();
  return denied ? sentence : value;
}

Extraction from_phrase(std::string_view text) {
  const size_t begin = find_phrase(text);
  if (begin == std::string_view::npos) return {};
  const std::string_view answer = stated_answer(text.substr(begin));
  if (is_blank(answer)) return {};
  return {AnswerSource::kPhrase, std::string(trimmed(answer))};
}

// The last value, with what leads to it from the last stop or number, or what follows, when that
// denies it.
std::string_view undenied_value(std::string_view text) {
  const std::string_view value = last_value(text);
  if (value.empty()) return value;
  const std::string_view lead = before(text, value);
  size_t begin = lead.size();
  while (begin > 0 &&
         std::string_view(".,;:!?\n0123456789").find(lead[begin - 1]) == std::string_view::npos)
    --begin;
  const std::string_view denial = denial_after(text, value);
  if (denial.empty() && !has_denial(lead.substr(begin))) return value;
  return text.substr(begin, lead.size() - begin + value.size() + denial.size());
}

// All of a short text that is nothing but an answer, else the last value in it.
Extraction from_anywhere(std::string_view text) {
  constexpr size_t kLongestBare = 300;
  const std::string_view whole = trimmed(text);
  const bool bare = whole.size() <= kLongestBare && !has_prose(whole) &&
                    whole.find('\n') == std::string_view::npos;
  const std::string_view answer = bare ? whole : undenied_value(text);
  if (is_blank(answer)) return {};
  return {AnswerSource::kLoose, std::string(answer)};
}

// What follows the reasoning of a model that marks it.
std::string_view after_reasoning(std::string_view text) {
  constexpr std::string_view kEnd = "</think>";
  const size_t end = text.rfind(kEnd);
  if (end == std::string_view::npos) return text;
  const std::string_view rest = text.substr(end + kEnd.size());
  return trimmed(rest).empty() ? text : rest;
}

}  // namespace

Extraction extract_answer(std::string_view response, const ExtractOptions& options) {
  const BoxScan scan = find_boxes(response);
  if (!scan.boxes.empty() || !scan.last_is_complete) return from_boxes(response, scan);
  // What states an answer stands near the end.
  constexpr size_t kTail = 100'000;
  const std::string_view tail = response.substr(response.size() - std::min(response.size(), kTail));
  const std::string_view text = after_reasoning(tail);
  if (options.phrases)
    if (Extraction found = from_phrase(text); found.source != AnswerSource::kNone) return found;
  return options.loose ? from_anywhere(text) : Extraction{};
}

}  // namespace covrl
