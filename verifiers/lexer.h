// The tokens of an answer: LaTeX, plain text and Unicode signs in one vocabulary. Layout goes here
// (delimiters, sizes, spacing, fonts); meaning stays.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "verifiers/work_budget.h"

namespace covrl::math {

enum class TokenKind {
  kNumber,     // 12, .5, 1e-3, 1,234 (`text` without separators)
  kRepeating,  // 0.1\overline{6}: `text` is "0.1", `repeat` is "6"
  kLetter,     // one letter: a variable
  kCommand,    // \name, without the backslash: "frac", "alpha"; also sqrt, sin written plainly
  kText,       // words: what \text{} holds, words that stand for units, letters of other scripts
  kWord,       // "and", "or", "OR"
  kSign,       // one of + - * / ^ _ ! ' % = < > , ; : | & ( ) [ ] { } @ (degree) or ~ (+-)
  kRowEnd,     // a double backslash
  kUnknown,    // what has no place in an answer: control and invisible characters, emoji
  kEnd,
};

struct Token {
  TokenKind kind = TokenKind::kEnd;
  std::string text;
  std::string repeat = {};
  bool after_space = false;
  bool may_be_list = false;  // "123,456": a number here, two where lists are read
  bool is_star = false;      // a * as typed, which may be emphasis; \cdot and \times are none

  bool is(TokenKind k, std::string_view t) const { return kind == k && text == t; }
  bool sign(char c) const { return kind == TokenKind::kSign && text[0] == c; }
};

// Whether commas between digits separate thousands or elements, where both can be.
enum class Commas { kThousands, kElements };

// Always ends with kEnd. `answer` is at most kMostAnswerBytes long.
std::vector<Token> tokens_of(std::string_view answer, Commas commas = Commas::kThousands);

// Letters and digits of words and mathematics alike, words in lower case, no spaces: for comparing
// answers that are text.
std::string text_key(const std::vector<Token>& tokens);

// All tokens as they are, braces and all: the same key is the same sequence. For comparing what
// does not parse.
std::string token_key(const std::vector<Token>& tokens);

}  // namespace covrl::math
