// Commands with arguments: fractions, roots, functions, sums, matrices.
#include "verifiers/parser_rules.h"
#include "verifiers/vocabulary.h"

namespace covrl::math {

const Node* Parser::fraction() {
  advance();
  if (const Node* derivative = this->derivative()) return derivative;
  const Node* above = argument();
  const Node* below = argument();
  return make(Kind::kDivide, {above, below});
}

// \frac{dx}{dt} is one symbol; nullptr when it is an ordinary fraction.
const Node* Parser::derivative() {
  const auto is_d = [](const Token& token) {
    return token.is(TokenKind::kLetter, "d") || token.is(TokenKind::kCommand, "partial");
  };
  if (!sign('{') || !is_d(ahead(1)) || ahead(2).sign('}')) return nullptr;
  size_t n = 1;
  while (!ahead(n).sign('}') || ahead(n + 1).sign('}') || !ahead(n + 1).sign('{')) {
    if (ahead(n).kind == TokenKind::kEnd) return nullptr;
    ++n;
  }
  if (!is_d(ahead(n + 2))) return nullptr;
  std::string name = "d[";
  for (int group = 0; group < 2; ++group) {
    int depth = 0;
    do {
      if (at_end()) throw SyntaxError{};
      if (sign('{'))
        ++depth;
      else if (sign('}'))
        --depth;
      else
        name += now().text;
      advance();
    } while (depth > 0);
    name += group == 0 ? "/" : "]";
  }
  return symbol(name);
}

const Node* Parser::root(bool cubic) {
  advance();
  const Node* index = arena_.number(cubic ? 3 : 2);
  if (sign('[')) {
    advance();
    index = sum();
    expect(']');
  }
  const Node* inside = sign('{') ? braces() : primary();
  return make(Kind::kRoot, {inside, index});
}

const Node* Parser::binomial() {
  advance();
  if (sign('(')) {
    const Node* pair = brackets();
    if (!pair->is(Kind::kTuple) || pair->args.size() != 2) throw SyntaxError{};
    return make(Kind::kCall, pair->args, "binom");
  }
  const Node* above = argument();
  const Node* below = argument();
  return make(Kind::kCall, {above, below}, "binom");
}

const Node* Parser::rounded(const std::string& name) {
  advance();
  const Node* inside = sum();
  if (!take(name == "lfloor" ? "rfloor" : "rceil")) throw SyntaxError{};
  return make(Kind::kCall, {inside}, name.substr(1));
}

// \sum_{k=0}^{n} body, \sum^n_{k=0}: the lower bound, the upper, the body.
const Node* Parser::big(const std::string& name) {
  advance();
  std::vector<const Node*> args;
  bool is_upper_first = false;
  for (int bound = 0; bound < 2; ++bound) {
    if (!sign('_') && !sign('^')) break;
    is_upper_first |= bound == 0 && sign('^');
    advance();
    if (take('{')) {
      args.push_back(name == "lim" ? symbol(limit_text()) : element());
      expect('}');
    } else {
      args.push_back(primary());
    }
  }
  if (is_upper_first && args.size() == 2) std::swap(args[0], args[1]);
  const bool is_negative = take('-');  // \sum -k
  const Node* body = term();
  args.push_back(is_negative ? make(Kind::kNegate, {body}) : body);
  return make(Kind::kCall, std::move(args), name);
}

std::string Parser::limit_text() {
  std::string text;
  for (; !at_end() && !sign('}'); advance()) text += now().text;
  return text;
}

// 23 of \log_23, which is the logarithm of 3 to the base 2.
bool Parser::is_split_base() const {
  const bool is_number = now().kind == TokenKind::kNumber && now().text.size() > 1;
  const Token& next = ahead(1);
  return is_number && (next.kind == TokenKind::kEnd || next.sign('}') || next.sign(')') ||
                       next.sign('+') || next.sign('-') || next.sign('=') || next.sign(','));
}

const Node* Parser::function(const std::string& name) {
  advance();
  const Node* base = nullptr;
  const Node* power = nullptr;
  for (int i = 0; i < 2; ++i) {
    if (take('_')) base = is_split_base() ? first_digit() : argument_or_number();
    if (take('^')) power = exponent();
  }
  std::string outer_unit;
  std::swap(outer_unit, unit_);
  std::vector<const Node*> args = function_arguments();
  if (!unit_.empty()) args = {make(Kind::kQuantity, args, unit_)};
  unit_ = std::move(outer_unit);
  for (const Node*& arg : args) arg = in_radians(arg);
  const Node* node = call(name, args, base);
  if (power == nullptr) return node;
  const bool inverse = power->is(Kind::kNegate) && power->arg(0).is(Kind::kNumber) &&
                       power->arg(0).value == 1 && name != "log" && name != "ln";
  return inverse ? make(Kind::kCall, args, "arc" + name) : make(Kind::kPower, {node, power});
}

const Node* Parser::in_radians(const Node* angle) {
  if (!angle->is(Kind::kQuantity, "degree")) return angle;
  const Node* pi = make(Kind::kConstant, {}, "pi");
  return make(Kind::kMultiply, {angle->args[0], pi, arena_.number(mpq_class(1, 180))});
}

const Node* Parser::call(const std::string& name, const std::vector<const Node*>& args,
                         const Node* base) {
  if (name == "exp" && args.size() == 1)
    return make(Kind::kPower, {make(Kind::kConstant, {}, "e"), args[0]});
  if (name == "cis" && args.size() == 1)
    return make(Kind::kPower, {make(Kind::kConstant, {}, "e"),
                               make(Kind::kMultiply, {make(Kind::kConstant, {}, "i"), args[0]})});
  if (name == "cbrt" && args.size() == 1) return make(Kind::kRoot, {args[0], arena_.number(3)});
  if (name == "lg") base = arena_.number(10);
  if (name == "lg" || name == "log" || name == "ln") {
    if (args.size() != 1) throw SyntaxError{};
    const Node* logarithm = make(Kind::kCall, args, "ln");
    return base ? make(Kind::kDivide, {logarithm, make(Kind::kCall, {base}, "ln")}) : logarithm;
  }
  if (base) throw SyntaxError{};
  return make(Kind::kCall, args, name);
}

// In brackets or braces; else the factors up to a sign, a bracket or the next function.
std::vector<const Node*> Parser::function_arguments() {
  if (sign('(') || sign('{') || sign('[')) {
    const Node* inside = sign('{') ? braces() : brackets();
    if (inside->is(Kind::kTuple) || inside->is(Kind::kList)) return inside->args;
    return {inside};
  }
  if (command("lbrace")) return set()->args;
  Nodes factors = {factor()};
  while (starts_factor(*factors.back()) && !sign('(') && !sign('[') && !sign('{') &&
         !(now().kind == TokenKind::kCommand && is_function(now().text)))
    multiply(factors, factor());
  return {product(factors)};
}

// \dot{x}_{0}, \overline{AB}: one symbol.
const Node* Parser::accent(const std::string& name) {
  advance();
  std::string text = name;
  if (take('{')) {
    for (int depth = 1; depth > 0; advance()) {
      if (at_end()) throw SyntaxError{};
      if (sign('{'))
        ++depth;
      else if (sign('}'))
        --depth;
      else
        text += " " + now().text;
    }
  } else {
    text += " " + now().text;
    advance();
  }
  if (text == "mathbb R") return make(Kind::kConstant, {}, "reals");
  return symbol(text + name_marks());
}

const Node* Parser::figure(const std::string& name) {
  advance();
  std::string text = name;
  while (now().kind == TokenKind::kLetter) {
    text += " " + now().text;
    advance();
    text += name_marks();
  }
  return symbol(text);
}

const Node* Parser::matrix() {
  const std::string environment = now().text.substr(6);
  if (environment == "cases") throw SyntaxError{};
  advance();
  std::vector<const Node*> cells;
  int columns = 0, in_row = 0;
  while (!command("end:" + environment)) {
    if (at_end()) throw SyntaxError{};
    cells.push_back(sum());
    ++in_row;
    if (take('&')) continue;
    if (now().kind == TokenKind::kRowEnd) {
      advance();
    } else if (!command("end:" + environment)) {
      throw SyntaxError{};
    }
    if (columns != 0 && columns != in_row) throw SyntaxError{};
    columns = std::exchange(in_row, 0);
  }
  advance();
  if (cells.empty() || in_row > 0) throw SyntaxError{};  // none, or a row that ends with &
  const Node* node = arena_.add({.kind = Kind::kMatrix, .args = cells, .columns = columns});
  return environment == "vmatrix" ? make(Kind::kCall, {node}, "det") : node;
}

}  // namespace covrl::math
