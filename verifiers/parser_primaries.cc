// Numbers, names, brackets, arguments.
#include "verifiers/numerals.h"
#include "verifiers/parser_rules.h"
#include "verifiers/text.h"
#include "verifiers/vocabulary.h"
#include "verifiers/words.h"

namespace covrl::math {

const Node* Parser::primary() {
  const Level level(depth_);
  switch (now().kind) {
    case TokenKind::kNumber:
    case TokenKind::kRepeating:
      return number();
    case TokenKind::kLetter:
      return letter();
    case TokenKind::kText:
      return words();
    case TokenKind::kCommand:
      return command();
    case TokenKind::kSign:
      if (sign('(') || sign('[')) return brackets();
      if (sign('{')) return braces();
      if (sign('|')) return bars();
      if (sign('_') || sign('^')) return prefixed_choice();
      throw SyntaxError{};
    default:
      throw SyntaxError{};
  }
}

const Node* Parser::number() {
  const Token& token = now();
  advance();
  return arena_.add(numeral(token.text, token.repeat, budget_));
}

const Node* Parser::words() {
  std::string text;
  for (; now().kind == TokenKind::kText; advance()) text += lower_case(now().text);
  if (sign('(') && !now().after_space) return make(Kind::kCall, {brackets()}, text);  // Var(X)
  if (starts_factor(*make(Kind::kText, {}))) throw SyntaxError{};
  if (is_all_reals(text)) return make(Kind::kConstant, {}, "reals");
  if (is_no_solution(text)) return make(Kind::kConstant, {}, "emptyset");
  return make(Kind::kText, {}, text);
}

// The text of a subscript.
std::string Parser::subscript() {
  if (!take('_')) return {};
  std::string text = "_";
  if (!take('{')) {
    if (at_end()) throw SyntaxError{};
    text += now().text;
    advance();
    return text;
  }
  for (int depth = 1; depth > 0; advance()) {
    if (at_end()) throw SyntaxError{};
    if (sign('{'))
      ++depth;
    else if (sign('}'))
      --depth;
    else
      text += now().text;
  }
  return text;
}

std::string Parser::name_marks() {
  std::string marks;
  while (take('\'')) marks += '\'';
  std::string name = subscript();
  while (take('\'')) marks += '\'';
  return name + marks;
}

// _n C_2, ^n C_2
const Node* Parser::prefixed_choice() {
  advance();
  const Node* above = argument();
  if (now().text != "C") throw SyntaxError{};
  advance();
  expect('_');
  return make(Kind::kCall, {above, argument()}, "binom");
}

// C_5^2 of numbers, where C has been read; nullptr when it is something else: C_1^2 is a square.
const Node* Parser::choice_of_numbers() {
  long values[2] = {};
  size_t n = 0;
  for (const char script : {'_', '^'}) {
    const bool braced = ahead(n + 1).sign('{');
    const std::string& number = ahead(n + 1 + braced).text;
    constexpr size_t kLongest = 4;
    if (!ahead(n).sign(script) || number.empty() || number.size() > kLongest ||
        !std::all_of(number.begin(), number.end(), is_digit) || (braced && !ahead(n + 3).sign('}')))
      return nullptr;
    values[script == '^'] = std::stol(number);
    n += braced ? 4 : 2;
  }
  if (values[0] <= values[1]) return nullptr;
  for (; n > 0; --n) advance();
  return make(Kind::kCall, {arena_.number(values[0]), arena_.number(values[1])}, "binom");
}

// C(n, 2), C(2n, n): with a letter, else it is a point that is named C.
bool Parser::is_choice_ahead() const {
  if (!now().sign('(') || now().after_space) return false;
  int num_commas = 0, num_letters = 0;
  size_t n = 1;
  for (; ahead(n).kind == TokenKind::kLetter || ahead(n).kind == TokenKind::kNumber ||
         ahead(n).sign(',') || ahead(n).sign('+') || ahead(n).sign('-');
       ++n) {
    num_commas += ahead(n).sign(',') ? 1 : 0;
    num_letters += ahead(n).kind == TokenKind::kLetter ? 1 : 0;
  }
  return num_commas == 1 && num_letters > 0 && ahead(n).sign(')');
}

const Node* Parser::letter() {
  const std::string name = now().text;
  advance();
  if (name == "C" && is_choice_ahead()) {
    const Node* pair = brackets();
    if (!pair->is(Kind::kTuple) || pair->args.size() != 2) throw SyntaxError{};
    return make(Kind::kCall, pair->args, "binom");
  }
  if (name == "C")
    if (const Node* choice = choice_of_numbers()) return choice;
  const std::string marks = name_marks();
  const bool function = name == "f" || name == "g" || name == "h";
  const bool of_number = ahead(1).kind == TokenKind::kNumber && ahead(2).sign(')');
  if (sign('(') && !now().after_space && (function || of_number)) {
    const Node* argument = brackets();
    return make(Kind::kCall,
                argument->is(Kind::kTuple) ? argument->args : std::vector<const Node*>{argument},
                name + marks);
  }
  if (marks.empty() && (name == "e" || name == "i")) return make(Kind::kConstant, {}, name);
  return symbol(name + marks);
}

const Node* Parser::brackets() {
  const char open = now().text[0];
  advance();
  const int outer_bars = std::exchange(bars_, 0);
  const Node* inside = list();
  bars_ = outer_bars;
  if (!sign(')') && !sign(']')) throw SyntaxError{};
  const char close = now().text[0];
  advance();
  if (inside->is(Kind::kList)) {
    if (inside->text == "or") throw SyntaxError{};
    return arena_.add({.kind = Kind::kTuple, .args = inside->args, .open = open, .close = close});
  }
  if ((open == '(') != (close == ')')) throw SyntaxError{};
  return inside;
}

// {3 \over 4} too.
const Node* Parser::braces() {
  const Level level(depth_);
  expect('{');
  if (take('}')) return primary();  // {}^2
  const int outer_bars = std::exchange(bars_, 0);
  const Node* node = list();
  if (take("over")) node = make(Kind::kDivide, {node, sum()});
  if (take("choose")) node = make(Kind::kCall, {node, sum()}, "binom");
  bars_ = outer_bars;
  expect('}');
  return node;
}

const Node* Parser::bars() {
  advance();
  ++bars_;
  const Node* inside = sum();
  expect('|');
  --bars_;
  return make(Kind::kCall, {inside}, "abs");
}

// {x | ...}, {x \in R : ...} with x real; \mathbb{R} is two tokens or four.
const Node* Parser::set_by_condition() {
  if (now().kind != TokenKind::kLetter) return nullptr;
  size_t n = 1;
  if (ahead(n).is(TokenKind::kCommand, "in")) {
    ++n;
    const bool is_font = ahead(n).is(TokenKind::kCommand, "mathbb");
    const bool is_braced = is_font && ahead(n + 1).sign('{');
    n += is_font + is_braced;
    const bool is_reals =
        is_font ? ahead(n).is(TokenKind::kLetter, "R") : ahead(n).is(TokenKind::kCommand, "reals");
    if (!is_reals) return nullptr;
    n += 1 + is_braced;
  }
  if (!ahead(n).sign('|') && !ahead(n).sign(':') && !ahead(n).is(TokenKind::kCommand, "mid"))
    return nullptr;
  for (size_t i = 0; i <= n; ++i) advance();
  const Node* condition = list();
  if (!take("rbrace")) throw SyntaxError{};
  return condition;
}

const Node* Parser::angle_brackets() {
  advance();
  const Node* inside = list();
  if (!inside->is(Kind::kList) || !take("rangle")) throw SyntaxError{};
  return arena_.add({.kind = Kind::kTuple, .args = inside->args, .open = '<', .close = '>'});
}

const Node* Parser::set() {
  advance();
  if (take("rbrace")) return make(Kind::kConstant, {}, "emptyset");
  if (const Node* condition = set_by_condition()) return condition;
  const int outer_bars = std::exchange(bars_, 1);  // {x | x > 0} is not for us
  const Node* inside = list();
  bars_ = outer_bars;
  if (!take("rbrace")) throw SyntaxError{};
  if (inside->is(Kind::kList)) return make(Kind::kSet, inside->args);
  return make(Kind::kSet, {inside});
}

// The argument of a command: {...}, or one digit, letter or command.
const Node* Parser::argument() {
  const Level level(depth_);
  if (sign('{')) return braces();
  if (now().kind == TokenKind::kNumber && now().text.size() > 1 && now().text[0] != '.')
    return first_digit();
  return primary();
}

// \frac12: the digits are two arguments.
const Node* Parser::first_digit() {
  Token& token = tokens_[at_];
  const Node* node = arena_.number(mpq_class(token.text[0] - '0'));
  token.text.erase(0, 1);
  token.after_space = false;
  return node;
}

const Node* Parser::command() {
  const std::string name = now().text;
  if (name.starts_with("begin:")) return matrix();
  if (name == "lbrace") return set();
  if (name == "langle") return angle_brackets();
  if (name == "frac") return fraction();
  if (name == "sqrt" || name == "cbrt") return root(name == "cbrt");
  if (name == "binom") return binomial();
  if (name == "lfloor" || name == "lceil") return rounded(name);
  if (name == "sum" || name == "prod" || name == "int" || name == "lim") return big(name);
  if (is_function(name)) return function(name);
  if (name == "pi" || name == "infty" || name == "emptyset" || name == "reals") {
    advance();
    const std::string marks = subscript();
    return marks.empty() ? make(Kind::kConstant, {}, name) : symbol(name + marks);
  }
  if (command_use(name) == CommandUse::kAccent) return accent(name);
  if (name == "angle" || name == "triangle") return figure(name);
  if (!starts_primary(name) || name == "dots") throw SyntaxError{};
  if (name == "overset" || name == "underset" || name == "stackrel" || name == "substack" ||
      name == "exists" || name == "forall" || name == "input")
    throw SyntaxError{};
  advance();
  return symbol("\\" + name + name_marks());
}

}  // namespace covrl::math
