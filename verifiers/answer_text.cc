#include "verifiers/answer_text.h"

#include <algorithm>

#include "verifiers/extract.h"
#include "verifiers/lexer.h"
#include "verifiers/text.h"
#include "verifiers/vocabulary.h"
#include "verifiers/words.h"

namespace covrl {

namespace {

// A gold as long as this that names no box is a solution, not an answer.
constexpr size_t kShortestSolution = 200;

// `\\` before a letter is a line end in a matrix or array alone.
std::string with_single_backslashes(std::string_view text) {
  std::string result(text);
  if (text.find("\\\\") == std::string_view::npos || text.find("\\begin") != std::string_view::npos)
    return result;
  size_t out = 0;
  for (size_t at = 0; at < text.size(); ++at) {
    const bool doubled = at + 2 < text.size() && text[at] == '\\' && text[at + 1] == '\\' &&
                         (is_letter(text[at + 2]) || text[at + 2] == '{' || text[at + 2] == '}');
    if (!doubled) result[out++] = text[at];
  }
  result.resize(out);
  return result;
}

}  // namespace

std::string gold_answer(std::string_view gold) {
  std::string text = with_single_backslashes(gold);
  const bool boxed =
      text.find("\\boxed") != std::string::npos || text.find("\\fbox") != std::string::npos;
  if (!boxed && text.size() < kShortestSolution) return text;
  Extraction found = extract_answer(text, {.phrases = true, .loose = false});
  return found.source == AnswerSource::kNone ? text : std::move(found.answer);
}

bool is_blank_answer(std::string_view answer) {
  constexpr size_t kLongestBlank = 4'000;
  if (answer.size() > kLongestBlank) return false;
  try {
    const auto tokens = math::tokens_of(answer);
    return std::all_of(tokens.begin(), tokens.end(), [](const math::Token& token) {
      return token.kind == math::TokenKind::kEnd || token.sign('{') || token.sign('}') ||
             token.sign(',') || token.sign('*') || token.is(math::TokenKind::kCommand, "dots");
    });
  } catch (const OverBudget&) {
    return false;  // nested too deeply, but something
  }
}

bool is_word_of_answers(std::string_view word) {
  const std::string lower = lower_case(word);
  return lower == "and" || lower == "or" || lower == "percent" || lower == "pct" || lower == "am" ||
         lower == "pm" || math::is_unit_word(lower) || math::is_plain_command(lower) ||
         math::power_of_ten(lower) > 0;
}

}  // namespace covrl
