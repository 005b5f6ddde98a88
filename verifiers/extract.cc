#include "verifiers/extract.h"

#include <algorithm>
#include <array>
#include <cctype>

#include "verifiers/boxes.h"
#include "verifiers/normalise.h"

namespace covrl {

namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::string_view trimmed(std::string_view text, std::string_view characters = " \t\r\n") {
  const size_t begin = text.find_first_not_of(characters);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(characters) - begin + 1);
}

bool is_blank(std::string_view answer) { return normalise(answer).empty(); }

// True for what stands between two boxes that form one list: "$, $", " and ", ", or ".
bool joins_boxes(std::string_view between) {
  constexpr size_t kLongest = 40;
  if (between.size() > kLongest) return false;
  bool joined = false;
  for (size_t at = 0; at < between.size();) {
    const std::string_view rest = between.substr(at);
    if (rest.starts_with("and") || rest.starts_with("or")) {
      joined = true;
      at += rest[0] == 'a' ? 3 : 2;
    } else if (rest[0] == ',' || rest[0] == ';') {
      joined = true;
      ++at;
    } else if (rest.starts_with("\\text")) {
      at += 5;
    } else if (rest.starts_with("\\quad")) {
      at += 5;
    } else if (std::string_view(" \t\r\n${}~\\").find(rest[0]) != std::string_view::npos) {
      ++at;
    } else {
      return false;
    }
  }
  return joined;
}

Extraction from_boxes(std::string_view text, const BoxScan& scan) {
  if (!scan.last_is_complete || scan.boxes.empty()) return {};
  size_t first = scan.boxes.size() - 1;
  while (first > 0 && joins_boxes(text.substr(scan.boxes[first - 1].end,
                                              scan.boxes[first].begin - scan.boxes[first - 1].end)))
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
  const size_t mark = rest.find_first_not_of("* \t");
  if (mark == std::string_view::npos) return std::string_view::npos;
  if (rest[mark] == ':') return at + mark + 1;
  if (rest.substr(mark).starts_with("is") && mark + 2 < rest.size() &&
      !std::isalnum(static_cast<unsigned char>(rest[mark + 2])))
    return at + mark + 2;
  return std::string_view::npos;
}

size_t find_phrase(std::string_view text) {
  std::string lower(text);
  for (char& c : lower)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  size_t found = std::string_view::npos;
  constexpr std::string_view kWord = "answer", kHashes = "####";
  for (size_t at = lower.rfind(kWord); at != std::string::npos;
       at = at == 0 ? std::string::npos : lower.rfind(kWord, at - 1)) {
    found = after_answer_word(lower, at + kWord.size());
    if (found != std::string::npos) break;
  }
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

// The formula that `text` begins with, or its first sentence.
std::string_view stated_answer(std::string_view text) {
  text = text.substr(std::min(text.size(), text.find_first_not_of(" \t\r\n:*")));
  for (const Delimiters& math : kMath) {
    if (!text.starts_with(math.open)) continue;
    const size_t close = text.find(math.close, math.open.size());
    if (close != std::string_view::npos)
      return text.substr(math.open.size(), close - math.open.size());
  }
  std::string_view line = text.substr(0, text.find('\n'));
  line = line.substr(0, line.find(". "));
  return trimmed(line, " \t\r\n*.");
}

Extraction from_phrase(std::string_view text) {
  const size_t begin = find_phrase(text);
  if (begin == std::string_view::npos) return {};
  const std::string_view answer = stated_answer(text.substr(begin));
  if (is_blank(answer)) return {};
  return {AnswerSource::kPhrase, std::string(trimmed(answer))};
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

std::string_view last_number(std::string_view text) {
  size_t end = text.size();
  while (end > 0 && !is_digit(text[end - 1])) --end;
  size_t begin = end;
  while (begin > 0 && (is_digit(text[begin - 1]) ||
                       std::string_view(".,/").find(text[begin - 1]) != std::string_view::npos))
    --begin;
  while (begin < end && !is_digit(text[begin]) && text[begin] != '.') ++begin;
  if (begin > 0 && begin < end && text[begin - 1] == '-') --begin;
  return text.substr(begin, end - begin);
}

}  // namespace

Extraction extract_answer(std::string_view response, const ExtractOptions& options) {
  const BoxScan scan = find_boxes(response);
  if (!scan.boxes.empty() || !scan.last_is_complete) return from_boxes(response, scan);
  if (options.phrases)
    if (Extraction found = from_phrase(response); found.source != AnswerSource::kNone) return found;
  if (!options.loose) return {};
  const std::string_view formula = last_formula(response), number = last_number(response);
  const bool number_is_later = !number.empty() && number.data() > formula.data() + formula.size();
  const std::string_view answer = formula.empty() || number_is_later ? number : formula;
  if (is_blank(answer)) return {};
  return {AnswerSource::kLoose, std::string(answer)};
}

}  // namespace covrl
