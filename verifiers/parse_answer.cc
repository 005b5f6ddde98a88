// The answer as a whole: what does not parse may do so with its brackets turned, else is opaque.
#include "verifiers/parser.h"
#include "verifiers/parser_rules.h"

namespace covrl::math {

namespace {

// ]2,5[ as (2,5): brackets that turn away from their interval are open. Empty when there are none.
std::vector<Token> with_turned_brackets(std::vector<Token> tokens) {
  bool is_inside = false, is_turned = false;
  for (Token& token : tokens) {
    if (!token.sign('[') && !token.sign(']')) continue;
    if (token.sign(is_inside ? '[' : ']')) {
      token.text = is_inside ? ")" : "(";
      is_turned = true;
    }
    is_inside = !is_inside;
  }
  if (!is_turned || is_inside) tokens.clear();
  return tokens;
}

}  // namespace

const Node* parse_answer(const std::vector<Token>& tokens, Arena& arena, WorkBudget& budget) {
  try {
    return Parser(tokens, arena, budget).run();
  } catch (const SyntaxError&) {
  }
  const std::vector<Token> turned = with_turned_brackets(tokens);
  try {
    if (!turned.empty()) return Parser(turned, arena, budget).run();
  } catch (const SyntaxError&) {
  }
  return arena.make(NodeKind::kOpaque, {}, token_key(tokens));
}

}  // namespace covrl::math
