// Answers as strings.
#include "verifiers/lexer.h"

namespace covrl::math {

namespace {

std::string lower_case(std::string text) {
  for (char& c : text)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return text;
}

}  // namespace

std::string text_key(const std::vector<Token>& tokens) {
  std::string key;
  for (const Token& token : tokens) {
    if (token.kind == TokenKind::kText || token.kind == TokenKind::kLetter ||
        token.kind == TokenKind::kNumber || token.kind == TokenKind::kWord)
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

std::string token_key(const std::vector<Token>& tokens) {
  std::string key;
  for (const Token& token : tokens) {
    if (token.sign('{') || token.sign('}')) continue;
    key += token.text + token.repeat;
    if (token.kind == TokenKind::kCommand || token.kind == TokenKind::kText) key += ' ';
  }
  return key;
}

}  // namespace covrl::math
