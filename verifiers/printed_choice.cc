#include "verifiers/printed_choice.h"

#include <string>

#include "verifiers/text.h"
#include "verifiers/vocabulary.h"
#include "verifiers/words.h"

namespace covrl::math {

namespace {

bool is_choice(char c) { return c >= 'A' && c <= 'J'; }

// Without fonts, braces and dollar signs; spacing commands as spaces.
std::string without_layout(std::string_view answer) {
  std::string plain;
  for (size_t at = 0; at < answer.size(); ++at) {
    const std::string_view rest = answer.substr(at);
    size_t font = text_opening_length(rest);
    for (const std::string_view name : {"\\bf ", "\\rm "})
      if (rest.starts_with(name)) font = name.size();
    if (font > 0) {
      at += font - 1;
    } else if (rest.size() > 1 && rest[0] == '\\' && !is_letter(rest[1])) {
      plain += ' ';
      ++at;
    } else if (std::string_view("{}$*").find(rest[0]) == std::string_view::npos) {
      plain += rest[0] == '~' ? ' ' : rest[0];
    }
  }
  return plain;
}

// Whether a text behind an option goes on as a formula or list, as (C) + 1 and (C), 12, names
// another option, as D) or "or D", or takes the first back.
bool changes_choice(std::string_view text) {
  const std::string_view tail = trimmed(text);
  if (!tail.empty() && std::string_view("+*/^_!=<>,;:|&%'").find(tail[0]) != std::string_view::npos)
    return true;
  if (text.starts_with('-') || tail.starts_with("or ") || tail.starts_with("and ")) return true;
  bool after_joint = false;
  for (size_t at = 0; at < text.size();) {
    const size_t begin = at;
    while (at < text.size() && is_letter(text[at])) ++at;
    if (at == begin) {
      ++at;
      continue;
    }
    const std::string word = lower_case(text.substr(begin, at - begin));
    const bool is_marked =
        at < text.size() && (text[at] == ')' || text[at] == '.' || text[at] == ':');
    if (takes_back(word) || word == "option" || word == "choice") return true;
    if (word.size() == 1 && is_choice(text[begin]) && (is_marked || after_joint)) return true;
    after_joint = word == "or" || word == "and";
  }
  return false;
}

}  // namespace

char choice_letter(const std::vector<Token>& gold) {
  char letter = 0;
  for (const Token& token : gold) {
    if (token.kind == TokenKind::kEnd || token.sign('{') || token.sign('}') || token.sign('(') ||
        token.sign(')'))
      continue;
    const bool is_letter = token.kind == TokenKind::kLetter || token.kind == TokenKind::kText;
    if (letter != 0 || !is_letter || token.text.size() != 1 || !is_choice(token.text[0])) return 0;
    letter = token.text[0];
  }
  return letter;
}

char printed_choice(std::string_view answer) {
  const std::string plain = without_layout(answer);
  std::string_view rest = trimmed(plain);
  bool is_named = false;  // by a word before it, so that it needs no mark behind it
  for (const std::string_view word : {"option ", "choice "}) {
    if (!lower_case(rest.substr(0, word.size())).starts_with(word)) continue;
    rest = trimmed(rest.substr(word.size()));
    is_named = true;
  }
  const bool is_open = rest.starts_with('(');
  rest.remove_prefix(is_open);
  if (rest.empty() || !is_choice(rest[0])) return 0;
  const char letter = rest[0];
  rest.remove_prefix(1);
  const bool is_closed = rest.starts_with(')');
  const bool is_marked = is_closed || rest.starts_with(". ") || rest == "." ||
                         (is_named && (rest.starts_with(' ') || rest.starts_with(':')));
  if ((is_open && !is_closed) || !(is_marked || (is_named && rest.empty()))) return 0;
  return changes_choice(rest.substr(!rest.empty())) ? '\0' : letter;
}

}  // namespace covrl::math
