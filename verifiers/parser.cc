// Lists, relations, sums, products, powers.
#include "verifiers/parser.h"

#include "verifiers/parser_rules.h"
#include "verifiers/parser_units.h"
#include "verifiers/text.h"
#include "verifiers/vocabulary.h"
#include "verifiers/words.h"

namespace covrl::math {

namespace {

// A(1, 2)
bool is_named_point(const Node& node) {
  return node.is(NodeKind::kMultiply) && node.args.size() == 2 &&
         node.arg(0).is(NodeKind::kSymbol) && node.arg(0).text[0] >= 'A' &&
         node.arg(0).text[0] <= 'Z' && node.arg(1).is(NodeKind::kTuple) &&
         node.arg(1).open == '(' && node.arg(1).close == ')';
}

}  // namespace

bool Parser::closes() const {
  return at_end() || sign(')') || sign(']') || sign('}') || command("rbrace");
}

const Node* Parser::list() {
  const Level level(depth_);
  std::vector<const Node*> elements = {element()};
  std::string joined = ",";
  while (separator()) {
    while (separator()) {
      if (now().text == "or" || now().text == "OR") joined = "or";
      if ((now().text == "and" || now().text == "AND") && joined == ",") joined = "and";
      advance();
    }
    if (closes()) break;
    elements.push_back(element());
  }
  if (elements.size() == 1) return elements[0];
  return make(Kind::kList, std::move(elements), joined);
}

bool Parser::relation_sign(Relation& relation) const {
  if (sign('='))
    relation = Relation::kEqual;
  else if (sign('<'))
    relation = Relation::kLess;
  else if (sign('>'))
    relation = Relation::kGreater;
  else if (command("le"))
    relation = Relation::kLessEqual;
  else if (command("ge"))
    relation = Relation::kGreaterEqual;
  else if (command("ne"))
    relation = Relation::kNotEqual;
  else if (command("in"))
    relation = Relation::kIn;
  else if (command("approx"))
    relation = Relation::kEqual;
  else if (command("equiv"))
    relation = Relation::kCongruent;
  else
    return false;
  return true;
}

const Node* Parser::element() {
  if (!take('=')) take("approx");  // "= 5"
  const size_t begin = at_;
  std::vector<const Node*> sides = {definition_name()};
  if (sides[0] == nullptr) sides[0] = side();
  std::vector<Relation> relations;
  if (sides[0]->is(Kind::kRatio) && sides[0]->args.size() == 2 &&
      sides[0]->arg(0).is(Kind::kText)) {
    if (has_word(begin, denies)) throw SyntaxError{};
    sides = sides[0]->args;  // \text{Area: } 5
    relations = {Relation::kEqual};
  }
  for (Relation relation; relation_sign(relation);) {
    if (has_word(begin, takes_back)) throw SyntaxError{};
    advance();
    relations.push_back(relation);
    sides.push_back(side());
  }
  if (relations.empty() && is_named_point(*sides[0])) {
    sides = sides[0]->args;
    relations = {Relation::kEqual};
  }
  const Node* modulus = this->modulus();
  if (relations.empty()) return modulus ? make(Kind::kCall, {sides[0], modulus}, "mod") : sides[0];
  const Node& last = *sides.back();
  if (relations.back() == Relation::kCongruent && last.is(Kind::kCall, "mod") && !modulus) {
    modulus = last.args[1];  // x \equiv 3 \mod 7
    sides.back() = last.args[0];
  }
  if (modulus) {
    relations.push_back(Relation::kCongruent);
    sides.push_back(modulus);
  }
  return arena_.add({.kind = Kind::kRelation, .args = sides, .relations = relations});
}

// \text{not } of \text{not } = 5
bool Parser::has_word(size_t begin, bool (*is_such)(std::string_view)) const {
  return std::any_of(tokens_.begin() + static_cast<std::ptrdiff_t>(begin),
                     tokens_.begin() + static_cast<std::ptrdiff_t>(at_), [&](const Token& token) {
                       return token.kind == TokenKind::kText && is_such(lower_case(token.text));
                     });
}

// `P(x)` of `P(x) = ...`, where P(x) elsewhere may be a product; nullptr when none is here.
const Node* Parser::definition_name() {
  if (now().kind != TokenKind::kLetter) return nullptr;
  size_t n = 1;
  if (!ahead(n).sign('(')) return nullptr;
  std::string name = now().text + "(";
  for (++n; ahead(n).kind == TokenKind::kLetter || ahead(n).kind == TokenKind::kNumber ||
            ahead(n).sign(',');
       ++n)
    name += ahead(n).text;
  if (!ahead(n).sign(')') || !ahead(n + 1).sign('=')) return nullptr;
  for (size_t i = 0; i <= n; ++i) advance();
  return symbol(name + ")");
}

// \pmod{7}, (\bmod 7), \mod 7
const Node* Parser::modulus() {
  if (take("pmod")) return argument();
  if (sign('(') &&
      (ahead(1).is(TokenKind::kCommand, "mod") || ahead(1).is(TokenKind::kCommand, "pmod"))) {
    advance();
    advance();
    const Node* value = sum();
    expect(')');
    return value;
  }
  return nullptr;
}

const Node* Parser::side() {
  std::vector<const Node*> parts = {with_unit()};
  while (take(':')) parts.push_back(with_unit());
  if (parts.size() == 1) return parts[0];
  const Node& last = *parts.back();
  if (parts.size() == 2 && last.is(Kind::kQuantity) && (last.text == "am" || last.text == "pm"))
    return make(Kind::kTime, {parts[0], last.args[0]}, last.text);
  return make(Kind::kRatio, std::move(parts));
}

const Node* Parser::with_unit() {
  std::string outer;
  std::swap(outer, unit_);
  const Node* node = united();
  if (!unit_.empty()) node = make(Kind::kQuantity, {node}, unit_);
  unit_ = std::move(outer);
  return node;
}

const Node* Parser::united() {
  Nodes parts = {sum()};
  Kind kind = Kind::kUnion;
  for (;;) {
    Kind next;
    if (command("cup") || (parts.back()->is(Kind::kTuple) && now().text == "U"))
      next = Kind::kUnion;
    else if (command("cap"))
      next = Kind::kIntersection;
    else if (command("setminus") || command("backslash"))
      next = Kind::kDifference;
    else
      return parts.size() == 1 ? parts[0] : make(kind, std::move(parts));
    advance();
    if (parts.size() > 1 && (next != kind || kind == Kind::kDifference))
      parts = {make(kind, std::move(parts))};
    kind = next;
    parts.push_back(sum());
  }
}

// Which sign is here: '+', '-', '~' for \pm, 'm' for \mp; 0 when none.
char Parser::additive_sign() const {
  if (sign('+') || sign('-') || sign('~')) return now().text[0];
  return command("mp") ? 'm' : '\0';
}

const Node* Parser::signed_node(char additive, const Node* node) {
  switch (additive) {
    case '-':
      return make(Kind::kNegate, {node});
    case '~':
      return make(Kind::kPlusMinus, {node}, "+");
    case 'm':
      return make(Kind::kPlusMinus, {node}, "-");
    default:
      return node;
  }
}

const Node* Parser::sum() {
  const Level level(depth_);
  std::vector<const Node*> terms;
  char additive = additive_sign();
  if (additive) advance();
  for (;;) {
    terms.push_back(signed_node(additive, signed_term()));
    additive = additive_sign();
    if (!additive) break;
    advance();
  }
  return terms.size() == 1 ? terms[0] : make(Kind::kAdd, std::move(terms));
}

// A term after a sign may have another: 3 - -2.
const Node* Parser::signed_term() {
  const Level level(depth_);
  const char additive = additive_sign();
  if (!additive) return term();
  advance();
  return signed_node(additive, signed_term());
}

const Node* Parser::term() {
  Nodes factors = {factor()};
  for (;;) {
    const Node& last = *factors.back();
    if (take('*')) {
      multiply(factors, signed_factor());
    } else if (take('/')) {
      factors = {make(Kind::kDivide, {product(factors), divisor()})};
    } else if (command("mod")) {
      advance();
      factors = {make(Kind::kCall, {product(factors), factor()}, "mod")};
    } else if (now().kind == TokenKind::kText || (sign('(') && ahead(1).kind == TokenKind::kText)) {
      unit(factors);
    } else if (starts_factor(last)) {
      adjacent(factors);
    } else {
      return product(factors);
    }
  }
}

// RC of t/RC: letters that stand together.
const Node* Parser::divisor() {
  Nodes factors = {signed_factor()};
  while (factors.back()->is(Kind::kSymbol) && now().kind == TokenKind::kLetter &&
         !now().after_space)
    factors.push_back(factor());
  return product(factors);
}

const Node* Parser::product(const Nodes& factors) {
  return factors.size() == 1 ? factors[0] : make(Kind::kMultiply, factors);
}

void Parser::multiply(Nodes& factors, const Node* right) {
  if (!unit_.empty()) throw SyntaxError{};
  const bool member = factors.size() == 1 && factors[0]->is(Kind::kSymbol) &&
                      right->is(Kind::kTuple) && right->open == '(' && right->close == ']';
  if (member)  // t(0,4]: its \in was lost
    factors = {arena_.add(
        {.kind = Kind::kRelation, .args = {factors[0], right}, .relations = {Relation::kIn}})};
  else
    factors.push_back(right);
}

const Node* Parser::signed_factor() {
  const char additive = additive_sign();
  if (!additive) return factor();
  const Level level(depth_);
  advance();
  return signed_node(additive, signed_factor());
}

// What follows without an operator: the fraction of a mixed number, or a factor.
void Parser::adjacent(Nodes& factors) {
  const Node* left = factors.back();
  const bool after_space = now().after_space;
  const bool whole = factors.size() == 1 && left->is(Kind::kNumber) && left->digits == 0 &&
                     left->value.get_den() == 1;
  if (left->is(Kind::kNumber) && now().kind == TokenKind::kNumber) {  // 6 3/4
    if (!whole || !after_space || !ahead(1).sign('/') || ahead(2).kind != TokenKind::kNumber)
      throw SyntaxError{};
    const Node* above = number();
    advance();
    const Node* below = number();
    if (!proper(*above, *below)) throw SyntaxError{};
    const Node* mixed = make(Kind::kAdd, {left, make(Kind::kDivide, {above, below})});
    factors = {take('%') ? percent(mixed) : mixed};
    return;
  }
  const bool fraction = command("frac");
  const Node* right = factor();
  const Node& part = right->is(Kind::kPercent) ? right->arg(0) : *right;
  if (whole && fraction && part.is(Kind::kDivide) && proper(part.arg(0), part.arg(1))) {
    const Node* mixed = make(Kind::kAdd, {left, &part});
    factors = {right->is(Kind::kPercent) ? percent(mixed) : mixed};
  } else {
    multiply(factors, right);
  }
}

bool Parser::proper(const Node& above, const Node& below) {
  return above.is(Kind::kNumber) && below.is(Kind::kNumber) && above.digits == 0 &&
         below.digits == 0 && above.value > 0 && above.value < below.value;
}

bool Parser::starts_factor(const Node& left) const {
  switch (now().kind) {
    case TokenKind::kNumber:
    case TokenKind::kRepeating:
      return !left.is(Kind::kNumber) || (ahead(1).sign('/') && now().after_space);
    case TokenKind::kLetter:
      return !(left.is(Kind::kTuple) && now().text == "U");  // (0,1) U (2,3)
    case TokenKind::kSign:
      return sign('(') ? !ahead(1).is(TokenKind::kCommand, "mod") &&
                             !ahead(1).is(TokenKind::kCommand, "pmod")
                       : sign('[') || sign('{') || (sign('|') && bars_ == 0);
    case TokenKind::kCommand:
      return starts_primary(now().text);
    default:
      return false;
  }
}

bool Parser::starts_primary(std::string_view name) {
  for (const std::string_view other :
       {"le",       "ge",        "ne",         "in",     "approx", "equiv",  "cup",   "cap",
        "setminus", "backslash", "mp",         "rbrace", "rfloor", "rceil",  "pmod",  "mod",
        "over",     "choose",    "mid",        "to",     "dots",   "rangle", "notin", "subset",
        "iff",      "implies",   "Rightarrow", "wedge",  "vee",    "not",    "atop"})
    if (name == other) return false;
  return !name.starts_with("end:");
}

// Words behind a value.
void Parser::unit(Nodes& factors) {
  UnitReader reader(tokens_, at_);
  at_ = reader.end();
  if (!reader.is_unit() || !unit_.empty()) throw SyntaxError{};
  if (const int power = reader.power_of_ten()) {
    mpz_class scale;
    mpz_ui_pow_ui(scale.get_mpz_t(), 10, static_cast<unsigned long>(power));
    factors.push_back(arena_.number(mpq_class(scale)));
  }
  unit_ = reader.unit();
}

const Node* Parser::factor() {
  const Level level(depth_);
  const Node* node = primary();
  for (;;) {
    if (sign('^'))
      node = power(node);
    else if (take('!'))
      node = make(Kind::kCall, {node}, "factorial");
    else if (take('%'))
      node = percent(node);
    else if (take('@'))
      node = degrees(node);
    else if (sign('_'))
      node = based(node);
    else
      return node;
  }
}

const Node* Parser::percent(const Node* node) {
  if (node->is(Kind::kPercent)) throw SyntaxError{};
  return make(Kind::kPercent, {node});
}

// What a degree sign belongs to is a unit; C or F after it too. Minutes and seconds may follow.
const Node* Parser::degrees(const Node* value) {
  unit_ = "degree";
  const bool scale = now().text == "C" || now().text == "F";
  if (scale && (now().kind == TokenKind::kLetter || now().kind == TokenKind::kText)) {
    unit_ += now().text;
    advance();
    return value;
  }
  Nodes parts = {value};
  for (size_t marks = 1; marks <= 2; ++marks) {
    if (now().kind != TokenKind::kNumber) break;
    size_t n = 1;
    const bool raised = ahead(n).sign('^'), braced = raised && ahead(n + 1).sign('{');
    n += raised + braced;
    if (!ahead(n).sign('\'') || !ahead(n + marks - 1).sign('\'')) break;
    const Node* part = number();
    for (n += marks + braced; n > 1; --n) advance();
    parts.push_back(make(Kind::kDivide, {part, arena_.number(marks == 1 ? 60 : 3600)}));
  }
  return parts.size() == 1 ? value : make(Kind::kAdd, std::move(parts));
}

const Node* Parser::power(const Node* base) {
  advance();
  if (take('@')) return degrees(base);
  if (sign('{') && ahead(1).sign('@') && ahead(2).sign('}')) {
    for (int i = 0; i < 3; ++i) advance();
    return degrees(base);
  }
  const bool braced = sign('{') && ahead(2).sign('}');
  if (base->is(Kind::kNumber) && ahead(braced).text == "o") {  // 36^o
    for (int i = 0; i < (braced ? 3 : 1); ++i) advance();
    return degrees(base);
  }
  if (sign('\'') || (sign('{') && ahead(1).sign('\''))) return primes(base);
  return make(Kind::kPower, {base, exponent()});
}

// y^{\prime}
const Node* Parser::primes(const Node* base) {
  const bool braced = take('{');
  std::string marks;
  while (take('\'')) marks += '\'';
  if (braced) expect('}');
  if (!base->is(Kind::kSymbol) && !base->is(Kind::kConstant)) throw SyntaxError{};
  return symbol(base->text + marks);
}

const Node* Parser::exponent() {
  const Level level(depth_);
  const char additive = additive_sign();
  if (additive) {
    advance();
    return signed_node(additive, exponent());
  }
  if (sign('{')) return braces();
  const Node* node = primary();
  return sign('^') ? power(node) : node;
}

// 52_8, (3021)_{4}, 52_{\text{eight}}
const Node* Parser::based(const Node* node) {
  if (!node->is(Kind::kNumber) || node->digits > 0 || node->value < 0) throw SyntaxError{};
  advance();
  const Node* base = sign('{') ? braces() : primary();
  if (const int named = base->is(Kind::kText) ? named_base(base->text) : 0)
    base = arena_.number(named);
  if (!base->is(Kind::kNumber)) throw SyntaxError{};
  return make(Kind::kBased, {base}, node->value.get_str());
}

}  // namespace covrl::math
