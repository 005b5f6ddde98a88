// Answers as strings.
#include "verifiers/lexer.h"
#include "verifiers/text.h"

namespace covrl::math {

std::string text_key(const std::vector<Token>& tokens) {
  std::string key;
  bool after_number = false;
  for (const Token& token : tokens) {
    const bool number = token.kind == TokenKind::kNumber;
    if (number && after_number) key += ' ';
    after_number = number;
    if (token.kind == TokenKind::kText || token.kind == TokenKind::kLetter || number ||
        token.kind == TokenKind::kWord)
      key += lower_case(token.text);
    else if (token.kind == TokenKind::kUnknown || token.kind == TokenKind::kCommand ||
             token.kind == TokenKind::kRepeating)
      key += "\\" + token.text + " " + token.repeat;
    else if (token.kind == TokenKind::kSign && !token.sign('{') && !token.sign('}') &&
             !token.sign('\''))
      key += token.text;
  }
  return key;
}

// Braces stay, and a space parts the tokens, so that one key is one sequence of tokens: \sqrt{3+1}
// is not \sqrt{3}+1, and 1 2 is not 12.
std::string token_key(const std::vector<Token>& tokens) {
  std::string key;
  for (const Token& token : tokens) {
    if (token.kind == TokenKind::kEnd) break;
    if (!key.empty()) key += ' ';
    if (token.kind == TokenKind::kCommand) key += '\\';
    if (token.kind == TokenKind::kText) key += '"';
    key += token.text;
    if (token.kind == TokenKind::kRepeating) key += "(" + token.repeat + ")";
  }
  return key;
}

}  // namespace covrl::math
