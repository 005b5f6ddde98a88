#include "policy/pre_tokenizer.h"

#include <array>

#include "core/error.h"
#include "policy/unicode.h"

namespace covrl {
namespace {

constexpr WordPattern kGpt2Pattern{WordPattern::Style::kGpt2, 0};
constexpr WordPattern kQwen2Pattern{WordPattern::Style::kGpt4, 1};
constexpr WordPattern kLlama3Pattern{WordPattern::Style::kGpt4, 3};

struct KnownRegex {
  const char* family;
  std::string_view regex;
  WordPattern pattern;
};

// GPT-4 writes the pattern of Llama-3 with possessive quantifiers and one line end in `\s*[\r\n]`,
// which match the same words:
// `\s*` already runs up to the last line end.
constexpr std::array kKnownRegexes{
    KnownRegex{
        "Qwen2",
        R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|)"
        R"(\s*[\r\n]+|\s+(?!\S)|\s+)",
        kQwen2Pattern},
    KnownRegex{
        "Llama-3",
        R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|)"
        R"(\s*[\r\n]+|\s+(?!\S)|\s+)",
        kLlama3Pattern},
    KnownRegex{
        "GPT-4",
        R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]++[\r\n]*|)"
        R"(\s*[\r\n]|\s+(?!\S)|\s+)",
        kLlama3Pattern},
    KnownRegex{
        "GPT-4",
        R"('(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]++[\r\n]*|)"
        R"(\s*[\r\n]|\s+(?!\S)|\s+)",
        kLlama3Pattern},
    KnownRegex{"GPT-2",
               R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)",
               kGpt2Pattern},
};

// [^\s\p{L}\p{N}]
bool is_symbol(char32_t c) { return !is_space(c) && !is_letter(c) && !is_number(c); }
bool is_line_end(char32_t c) { return c == U'\r' || c == U'\n'; }

template <class Predicate>
size_t skip_while(std::string_view text, size_t position, size_t limit, Predicate predicate) {
  for (size_t count = 0; position < text.size() && count < limit; ++count) {
    size_t next = position;
    if (!predicate(next_code_point(text, next))) break;
    position = next;
  }
  return position;
}
constexpr size_t kNoLimit = static_cast<size_t>(-1);

// A letter of a contraction; without regard to case, U+017F (long s) is an s to the regex engine.
char fold(char32_t c, bool ignore_case) {
  if (ignore_case && c == 0x17F) return 's';
  if (ignore_case && c >= U'A' && c <= U'Z') return static_cast<char>(c + 32);
  return c < 0x80 ? static_cast<char>(c) : '\0';
}

// 's 't 're 've 'm 'll 'd: the end of the contraction at `position`, or `position`.
size_t match_contraction(std::string_view text, size_t position, bool ignore_case) {
  if (text[position] != '\'' || position + 1 == text.size()) return position;
  size_t end = position + 1;
  const char first = fold(next_code_point(text, end), ignore_case);
  if (first == 's' || first == 't' || first == 'm' || first == 'd') return end;
  if (end == text.size() || (first != 'r' && first != 'v' && first != 'l')) return position;
  const char second = fold(next_code_point(text, end), ignore_case);
  return second == (first == 'l' ? 'l' : 'e') ? end : position;
}

// \s+(?!\S)|\s+ : the whitespace up to `end`, less the last character when a word follows.
size_t match_space(std::string_view text, size_t position, size_t end) {
  if (end == text.size()) return end;
  size_t last = end;
  previous_code_point(text, last);
  return last > position ? last : end;
}

size_t match_gpt4(std::string_view text, size_t position, int max_digits) {
  if (const size_t end = match_contraction(text, position, true); end > position) return end;
  size_t second = position;
  const char32_t first = next_code_point(text, second);
  const bool letter = is_letter(first), number = !letter && is_number(first);
  if (letter || (!number && !is_line_end(first))) {
    const size_t end = skip_while(text, second, kNoLimit, is_letter);
    if (letter || end > second) return end;
  }
  if (number) return skip_while(text, position, max_digits, is_number);
  if (!is_space(first) || first == U' ') {
    const size_t start = first == U' ' ? second : position;
    const size_t end = skip_while(text, start, kNoLimit, is_symbol);
    if (end > start) return skip_while(text, end, kNoLimit, is_line_end);
  }
  const size_t space_end = skip_while(text, position, kNoLimit, is_space);
  const size_t line_end = text.substr(0, space_end).find_last_of("\r\n");
  if (line_end != std::string_view::npos && line_end >= position) return line_end + 1;
  return match_space(text, position, space_end);
}

size_t match_gpt2(std::string_view text, size_t position) {
  if (const size_t end = match_contraction(text, position, false); end > position) return end;
  const size_t start = position + (text[position] == ' ' ? 1 : 0);
  for (bool (*is_member)(char32_t) : {is_letter, is_number, is_symbol}) {
    const size_t end = skip_while(text, start, kNoLimit, is_member);
    if (end > start) return end;
  }
  return match_space(text, position, skip_while(text, position, kNoLimit, is_space));
}

std::string supported_regexes() {
  std::string list;
  for (const KnownRegex& known : kKnownRegexes) {
    list += concat("\n  ", known.family, ": ", known.regex);
  }
  return list;
}

WordPattern read_split(const Json& section, const std::string& where) {
  const Json pattern = section.value("pattern", Json());
  if (!pattern.is_object() || !pattern.contains("Regex") || !pattern["Regex"].is_string()) {
    throw_usage(where, ": pre_tokenizer Split needs pattern {\"Regex\": ...}, got ",
                pattern.dump());
  }
  const auto regex = pattern["Regex"].get<std::string>();
  const std::optional<WordPattern> known = find_word_pattern(regex);
  if (!known) {
    throw_usage(where, ": pre_tokenizer Split has an unknown regex ", regex, "; supported are",
                supported_regexes());
  }
  const std::string behavior = section.value("behavior", "");
  const bool invert = section.value("invert", false);
  // The patterns leave no text unmatched, so removing what lies between matches is the same as
  // isolating them.
  if (!(behavior == "Isolated" && !invert) && !(behavior == "Removed" && invert)) {
    throw_usage(
        where, ": pre_tokenizer Split with behavior ", behavior, ", invert ", invert,
        " is not supported; supported: Isolated with invert false, Removed with invert true");
  }
  return *known;
}

}  // namespace

size_t WordPattern::match(std::string_view text, size_t position) const {
  return style == Style::kGpt2 ? match_gpt2(text, position)
                               : match_gpt4(text, position, max_digits);
}

std::optional<WordPattern> find_word_pattern(std::string_view regex) {
  for (const KnownRegex& known : kKnownRegexes) {
    if (known.regex == regex) return known.pattern;
  }
  return std::nullopt;
}

PreTokenizer PreTokenizer::from_json(const Json& section, const std::string& where) {
  PreTokenizer result;
  result.add_step(section, where);
  if (!result.byte_level_) {
    throw_usage(where, ": pre_tokenizer has no ByteLevel step; only byte-level BPE is supported");
  }
  return result;
}

void PreTokenizer::add_step(const Json& section, const std::string& where) {
  const std::string type = section.is_object() ? section.value("type", "") : section.dump();
  if (type == "Sequence") {
    for (const Json& part : section.value("pretokenizers", Json::array())) add_step(part, where);
  } else if (byte_level_) {
    throw_usage(where, ": pre_tokenizer ", type, " after ByteLevel is not supported");
  } else if (type == "Split") {
    steps_.push_back({false, read_split(section, where)});
  } else if (type == "ByteLevel") {
    byte_level_ = true;
    const bool use_regex = section.value("use_regex", true);
    steps_.push_back({section.value("add_prefix_space", true),
                      use_regex ? std::optional(kGpt2Pattern) : std::nullopt});
  } else {
    throw_usage(where, ": pre_tokenizer ", type,
                " is not supported; supported: Split, ByteLevel, and Sequence of these");
  }
}

std::vector<std::string_view> PreTokenizer::split(std::string_view text,
                                                  std::deque<std::string>& storage) const {
  std::vector<std::string_view> words{text}, next;
  for (const Step& step : steps_) {
    next.clear();
    for (std::string_view word : words) {
      if (step.add_prefix_space && !word.starts_with(' ')) {
        word = storage.emplace_back(1, ' ').append(word);
      }
      if (!step.pattern) {
        next.push_back(word);
        continue;
      }
      for (size_t position = 0; position < word.size();) {
        const size_t end = step.pattern->match(word, position);
        next.push_back(word.substr(position, end - position));
        position = end;
      }
    }
    words.swap(next);
  }
  return words;
}

}  // namespace covrl
