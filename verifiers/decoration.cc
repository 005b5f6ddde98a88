#include "verifiers/decoration.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "verifiers/text.h"
#include "verifiers/vocabulary.h"
#include "verifiers/words.h"

namespace covrl::math {

namespace {

bool is_ornament_token(const Token& token) {
  return token.is_star || token.kind == TokenKind::kRowEnd ||
         (token.kind == TokenKind::kCommand && is_ornament(token.text));
}

// Tokens of \text{The answer is } or \text{Answer: } before something; 0 when there are none.
size_t lead_in_length(const std::vector<Token>& tokens) {
  const auto is_word = [&](size_t at, std::string_view word) {
    return tokens[at].kind == TokenKind::kText && lower_case(tokens[at].text) == word;
  };
  size_t at = is_word(0, "the");
  at += is_word(at, "final");
  if (!is_word(at, "answer")) return 0;
  ++at;
  if (!is_word(at, "is") && !tokens[at].sign(':')) return 0;
  ++at;
  return tokens[at].kind == TokenKind::kEnd ? 0 : at;
}

bool is_article(std::string_view word) {
  const std::string lower = lower_case(word);
  return lower == "a" || lower == "an" || lower == "the";
}

}  // namespace

void remove_decoration(std::vector<Token>& tokens) {
  tokens.erase(tokens.begin(), std::find_if_not(tokens.begin(), tokens.end(), is_ornament_token));
  const auto last = std::find_if_not(tokens.rbegin() + 1, tokens.rend(), is_ornament_token);
  tokens.erase(last.base(), tokens.end() - 1);
  tokens.erase(tokens.begin(),
               tokens.begin() + static_cast<std::ptrdiff_t>(lead_in_length(tokens)));
  const bool has_article = tokens[0].kind == TokenKind::kText && is_article(tokens[0].text) &&
                           tokens[1].kind == TokenKind::kText;
  if (has_article) tokens.erase(tokens.begin());
  const bool is_date = tokens.size() == 3 && tokens[0].kind == TokenKind::kNumber &&
                       tokens[1].kind == TokenKind::kText && is_month(tokens[1].text);
  if (is_date) std::swap(tokens[0], tokens[1]);
}

}  // namespace covrl::math
