#include "verifiers/parser.h"

#include <algorithm>
#include <utility>

#include "verifiers/numerals.h"
#include "verifiers/parser_units.h"
#include "verifiers/vocabulary.h"

namespace covrl::math {

namespace {

struct SyntaxError {};

// Marks one level of nesting while it lives.
class Level {
 public:
  explicit Level(int& depth) : depth_(depth) {
    if (++depth_ > WorkBudget::kMostDepth) throw OverBudget{"too deeply nested"};
  }
  ~Level() { --depth_; }
  Level(const Level&) = delete;
  Level& operator=(const Level&) = delete;

 private:
  int& depth_;
};

class Parser {
 public:
  Parser(const std::vector<Token>& tokens, Arena& arena, WorkBudget& budget)
      : tokens_(tokens), arena_(arena), budget_(budget) {}

  const Node* run() {
    const Node* node = list();
    if (!at_end()) throw SyntaxError{};
    return node;
  }

 private:
  using Kind = NodeKind;

  // ---- Tokens.
  const Token& now() const { return tokens_[at_]; }
  const Token& ahead(size_t n) const { return tokens_[std::min(at_ + n, tokens_.size() - 1)]; }
  bool at_end() const { return now().kind == TokenKind::kEnd; }
  bool sign(char c) const { return now().sign(c); }
  bool command(std::string_view name) const { return now().is(TokenKind::kCommand, name); }
  void advance() {
    budget_.spend(5);
    if (!at_end()) ++at_;
  }
  bool take(char c) {
    if (!sign(c)) return false;
    advance();
    return true;
  }
  bool take(std::string_view name) {
    if (!command(name)) return false;
    advance();
    return true;
  }
  void expect(char c) {
    if (!take(c)) throw SyntaxError{};
  }
  const Node* make(Kind kind, std::vector<const Node*> args, std::string text = {}) {
    return arena_.make(kind, std::move(args), std::move(text));
  }
  const Node* symbol(std::string name) { return make(Kind::kSymbol, {}, std::move(name)); }

  // ---- Lists.
  bool separator() const {
    return sign(',') || sign(';') || now().kind == TokenKind::kWord;
  }
  bool closes() const {
    return at_end() || sign(')') || sign(']') || sign('}') || command("rbrace");
  }

  const Node* list() {
    const Level level(depth_);
    std::vector<const Node*> elements = {element()};
    std::string joined = ",";
    while (separator()) {
      while (separator()) {
        if (now().text == "or" || now().text == "OR") joined = "or";
        advance();
      }
      if (closes()) break;
      elements.push_back(element());
    }
    if (elements.size() == 1) return elements[0];
    return make(Kind::kList, std::move(elements), joined);
  }

  // ---- Relations.
  bool relation_sign(Relation& relation) const {
    if (sign('=')) relation = Relation::kEqual;
    else if (sign('<')) relation = Relation::kLess;
    else if (sign('>')) relation = Relation::kGreater;
    else if (command("le")) relation = Relation::kLessEqual;
    else if (command("ge")) relation = Relation::kGreaterEqual;
    else if (command("ne")) relation = Relation::kNotEqual;
    else if (command("in")) relation = Relation::kIn;
    else if (command("approx")) relation = Relation::kEqual;
    else if (command("equiv")) relation = Relation::kCongruent;
    else return false;
    return true;
  }

  const Node* element() {
    take('=');  // "= 5"
    std::vector<const Node*> sides = {definition_name()};
    if (sides[0] == nullptr) sides[0] = side();
    std::vector<Relation> relations;
    for (Relation relation; relation_sign(relation);) {
      advance();
      relations.push_back(relation);
      sides.push_back(side());
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

  // `P(x)` of `P(x) = ...`, where P(x) elsewhere may be a product; nullptr when none is here.
  const Node* definition_name() {
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
  const Node* modulus() {
    if (take("pmod")) return argument();
    if (sign('(') && (ahead(1).is(TokenKind::kCommand, "mod") ||
                      ahead(1).is(TokenKind::kCommand, "pmod"))) {
      advance();
      advance();
      const Node* value = sum();
      expect(')');
      return value;
    }
    return nullptr;
  }

  // ---- Ratios, sets.
  const Node* side() {
    std::vector<const Node*> parts = {with_unit()};
    while (take(':')) parts.push_back(with_unit());
    if (parts.size() == 1) return parts[0];
    const Node& last = *parts.back();
    if (parts.size() == 2 && last.is(Kind::kQuantity) && (last.text == "am" || last.text == "pm"))
      return make(Kind::kTime, {parts[0], last.args[0]}, last.text);
    return make(Kind::kRatio, std::move(parts));
  }

  const Node* with_unit() {
    std::string outer;
    std::swap(outer, unit_);
    const Node* node = united();
    if (!unit_.empty()) node = make(Kind::kQuantity, {node}, unit_);
    unit_ = std::move(outer);
    return node;
  }

  const Node* united() {
    const Node* left = sum();
    for (;;) {
      Kind kind;
      if (command("cup")) kind = Kind::kUnion;
      else if (command("cap")) kind = Kind::kIntersection;
      else if (command("setminus") || command("backslash")) kind = Kind::kDifference;
      else return left;
      advance();
      const Node* right = sum();
      if (left->is(kind) && kind != Kind::kDifference) {
        std::vector<const Node*> args = left->args;
        args.push_back(right);
        left = make(kind, std::move(args));
      } else {
        left = make(kind, {left, right});
      }
    }
  }

  // ---- Sums and products.
  // Which sign is here: '+', '-', '~' for \pm, 'm' for \mp; 0 when none.
  char additive_sign() const {
    if (sign('+') || sign('-') || sign('~')) return now().text[0];
    return command("mp") ? 'm' : '\0';
  }

  const Node* signed_node(char additive, const Node* node) {
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

  const Node* sum() {
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
  const Node* signed_term() {
    const Level level(depth_);
    const char additive = additive_sign();
    if (!additive) return term();
    advance();
    return signed_node(additive, signed_term());
  }

  const Node* term() {
    const Node* left = factor();
    for (;;) {
      if (take('*')) {
        left = product(left, signed_factor());
      } else if (take('/')) {
        left = make(Kind::kDivide, {left, signed_factor()});
      } else if (command("mod")) {
        advance();
        left = make(Kind::kCall, {left, factor()}, "mod");
      } else if (now().kind == TokenKind::kText) {
        left = unit(left);
      } else if (starts_factor(*left)) {
        left = adjacent(left);
      } else {
        return left;
      }
    }
  }

  const Node* product(const Node* left, const Node* right) {
    if (!unit_.empty()) throw SyntaxError{};
    if (left->is(Kind::kMultiply)) {
      std::vector<const Node*> args = left->args;
      args.push_back(right);
      return make(Kind::kMultiply, std::move(args));
    }
    return make(Kind::kMultiply, {left, right});
  }

  const Node* signed_factor() {
    const char additive = additive_sign();
    if (!additive) return factor();
    const Level level(depth_);
    advance();
    return signed_node(additive, signed_factor());
  }

  // What follows without an operator: the fraction of a mixed number, or a factor.
  const Node* adjacent(const Node* left) {
    const bool after_space = now().after_space;
    const bool whole = left->is(Kind::kNumber) && left->digits == 0 && left->value.get_den() == 1;
    if (whole && now().kind == TokenKind::kNumber) {  // 6 3/4
      if (!after_space || !ahead(1).sign('/') || ahead(2).kind != TokenKind::kNumber)
        throw SyntaxError{};
      const Node* above = number();
      advance();
      const Node* below = number();
      if (!proper(*above, *below)) throw SyntaxError{};
      return make(Kind::kAdd, {left, make(Kind::kDivide, {above, below})});
    }
    const bool fraction = command("frac");
    const Node* right = factor();
    if (whole && fraction && right->is(Kind::kDivide) && proper(right->arg(0), right->arg(1)))
      return make(Kind::kAdd, {left, right});
    return product(left, right);
  }

  static bool proper(const Node& above, const Node& below) {
    return above.is(Kind::kNumber) && below.is(Kind::kNumber) && above.digits == 0 &&
           below.digits == 0 && above.value > 0 && above.value < below.value;
  }

  bool starts_factor(const Node& left) const {
    switch (now().kind) {
      case TokenKind::kNumber:
      case TokenKind::kRepeating:
        return !left.is(Kind::kNumber) || (ahead(1).sign('/') && now().after_space);
      case TokenKind::kLetter:
        return true;
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

  static bool starts_primary(std::string_view name) {
    for (const std::string_view other :
         {"le", "ge", "ne", "in", "approx", "equiv", "cup", "cap", "setminus", "backslash", "mp",
          "rbrace", "rfloor", "rceil", "pmod", "mod", "over", "choose", "mid", "to", "dots",
          "rangle", "notin", "subset", "iff", "implies", "Rightarrow", "wedge", "vee", "not",
          "atop"})
      if (name == other) return false;
    return !name.starts_with("end:");
  }

  // ---- Units.
  const Node* unit(const Node* value) {
    UnitReader reader(tokens_, at_);
    at_ = reader.end();
    if (reader.changes_meaning() || !unit_.empty()) throw SyntaxError{};
    unit_ = reader.unit();
    if (reader.power_of_ten() == 0) return value;
    return product_with_power(value, reader.power_of_ten());
  }

  const Node* product_with_power(const Node* value, int power) {
    mpz_class scale;
    mpz_ui_pow_ui(scale.get_mpz_t(), 10, static_cast<unsigned long>(power));
    return make(Kind::kMultiply, {value, arena_.number(mpq_class(scale))});
  }

  // ---- Factors.
  const Node* factor() {
    const Level level(depth_);
    const Node* node = primary();
    for (;;) {
      if (sign('^')) node = power(node);
      else if (take('!')) node = make(Kind::kCall, {node}, "factorial");
      else if (take('%')) node = percent(node);
      else if (take('@')) degrees();
      else if (sign('_')) node = based(node);
      else if (node->is(Kind::kNumber) && take('\'')) unit_ += "'";
      else return node;
    }
  }

  const Node* percent(const Node* node) {
    if (node->is(Kind::kPercent)) throw SyntaxError{};
    return make(Kind::kPercent, {node});
  }

  // What a degree sign belongs to is a unit; C or F after it too.
  void degrees() {
    unit_ = "degree";
    const bool scale = now().text == "C" || now().text == "F";
    if (!scale || (now().kind != TokenKind::kLetter && now().kind != TokenKind::kText)) return;
    unit_ += now().text;
    advance();
  }

  const Node* power(const Node* base) {
    advance();
    if (take('@')) {
      degrees();
      return base;
    }
    if (sign('{') && ahead(1).sign('@') && ahead(2).sign('}')) {
      for (int i = 0; i < 3; ++i) advance();
      degrees();
      return base;
    }
    if (sign('\'') || (sign('{') && ahead(1).sign('\''))) return primes(base);
    return make(Kind::kPower, {base, exponent()});
  }

  // y^{\prime}
  const Node* primes(const Node* base) {
    const bool braced = take('{');
    std::string marks;
    while (take('\'')) marks += '\'';
    if (braced) expect('}');
    if (base->is(Kind::kSymbol) || base->is(Kind::kConstant)) return symbol(base->text + marks);
    if (!base->is(Kind::kNumber)) throw SyntaxError{};
    unit_ += marks;
    return base;
  }

  const Node* exponent() {
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

  // 52_8, (3021)_{4}
  const Node* based(const Node* node) {
    if (!node->is(Kind::kNumber) || node->digits > 0 || node->value < 0) throw SyntaxError{};
    advance();
    const Node* base = sign('{') ? braces() : primary();
    if (!base->is(Kind::kNumber)) throw SyntaxError{};
    return make(Kind::kBased, {base}, node->value.get_str());
  }

  // ---- Primaries.
  const Node* primary() {
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
        throw SyntaxError{};
      default:
        throw SyntaxError{};
    }
  }

  const Node* number() {
    const Token& token = now();
    advance();
    return arena_.add(numeral(token.text, token.repeat, budget_));
  }

  const Node* words() {
    std::string text;
    for (; now().kind == TokenKind::kText; advance()) text += now().text;
    for (char& c : text)
      if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    if (starts_factor(*make(Kind::kText, {}))) throw SyntaxError{};
    return make(Kind::kText, {}, text);
  }

  // The text of a subscript.
  std::string subscript() {
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
      if (sign('{')) ++depth;
      else if (sign('}')) --depth;
      else text += now().text;
    }
    return text;
  }

  std::string name_marks() {
    std::string marks;
    while (take('\'')) marks += '\'';
    std::string name = subscript();
    while (take('\'')) marks += '\'';
    return name + marks;
  }

  const Node* letter() {
    const std::string name = now().text;
    advance();
    const std::string marks = name_marks();
    const bool function = name == "f" || name == "g" || name == "h";
    const bool of_number = ahead(1).kind == TokenKind::kNumber && ahead(2).sign(')');
    if (sign('(') && !now().after_space && (function || of_number)) {
      const Node* argument = brackets();
      return make(Kind::kCall, argument->is(Kind::kTuple) ? argument->args
                                                           : std::vector<const Node*>{argument},
                  name + marks);
    }
    if (marks.empty() && (name == "e" || name == "i")) return make(Kind::kConstant, {}, name);
    return symbol(name + marks);
  }

  const Node* brackets() {
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
      return arena_.add(
          {.kind = Kind::kTuple, .args = inside->args, .open = open, .close = close});
    }
    if ((open == '(') != (close == ')')) throw SyntaxError{};
    return inside;
  }

  // {3 \over 4} too.
  const Node* braces() {
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

  const Node* bars() {
    advance();
    ++bars_;
    const Node* inside = sum();
    expect('|');
    --bars_;
    return make(Kind::kCall, {inside}, "abs");
  }

  const Node* set() {
    advance();
    if (take("rbrace")) return make(Kind::kConstant, {}, "emptyset");
    const int outer_bars = std::exchange(bars_, 1);  // {x | x > 0} is not for us
    const Node* inside = list();
    bars_ = outer_bars;
    if (!take("rbrace")) throw SyntaxError{};
    if (inside->is(Kind::kList)) return make(Kind::kSet, inside->args);
    return make(Kind::kSet, {inside});
  }

  // The argument of a command: {...}, or one digit, letter or command.
  const Node* argument() {
    const Level level(depth_);
    if (sign('{')) return braces();
    if (now().kind == TokenKind::kNumber && now().text.size() > 1 && now().text[0] != '.')
      return first_digit();
    return primary();
  }

  // \frac12: the digits are two arguments.
  const Node* first_digit() {
    Token& token = tokens_[at_];
    const Node* node = arena_.number(mpq_class(token.text[0] - '0'));
    token.text.erase(0, 1);
    token.after_space = false;
    return node;
  }

  const Node* command() {
    const std::string name = now().text;
    if (name.starts_with("begin:")) return matrix();
    if (name == "lbrace") return set();
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
        name == "langle" || name == "exists" || name == "forall" || name == "input")
      throw SyntaxError{};
    advance();
    return symbol("\\" + name + name_marks());
  }

  const Node* fraction() {
    advance();
    if (const Node* derivative = this->derivative()) return derivative;
    const Node* above = argument();
    const Node* below = argument();
    return make(Kind::kDivide, {above, below});
  }

  // \frac{dx}{dt} is one symbol; nullptr when it is an ordinary fraction.
  const Node* derivative() {
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
        if (sign('{')) ++depth;
        else if (sign('}')) --depth;
        else name += now().text;
        advance();
      } while (depth > 0);
      name += group == 0 ? "/" : "]";
    }
    return symbol(name);
  }

  const Node* root(bool cubic) {
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

  const Node* binomial() {
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

  const Node* rounded(const std::string& name) {
    advance();
    const Node* inside = sum();
    if (!take(name == "lfloor" ? "rfloor" : "rceil")) throw SyntaxError{};
    return make(Kind::kCall, {inside}, name.substr(1));
  }

  // \sum_{k=0}^{n} body: compared as it stands.
  const Node* big(const std::string& name) {
    advance();
    std::vector<const Node*> args;
    for (int bound = 0; bound < 2; ++bound) {
      if (!sign('_') && !sign('^')) break;
      advance();
      if (take('{')) {
        args.push_back(name == "lim" ? symbol(limit_text()) : element());
        expect('}');
      } else {
        args.push_back(primary());
      }
    }
    args.push_back(term());
    return make(Kind::kCall, std::move(args), name);
  }

  std::string limit_text() {
    std::string text;
    for (; !at_end() && !sign('}'); advance()) text += now().text;
    return text;
  }

  const Node* function(const std::string& name) {
    advance();
    const Node* base = nullptr;
    const Node* power = nullptr;
    for (int i = 0; i < 2; ++i) {
      if (take('_')) base = argument_or_number();
      if (take('^')) power = exponent();
    }
    const std::vector<const Node*> args = function_arguments();
    const Node* node = call(name, args, base);
    if (power == nullptr) return node;
    const bool inverse = power->is(Kind::kNegate) && power->arg(0).is(Kind::kNumber) &&
                         power->arg(0).value == 1 && name != "log" && name != "ln";
    return inverse ? make(Kind::kCall, args, "arc" + name) : make(Kind::kPower, {node, power});
  }

  const Node* argument_or_number() { return sign('{') ? braces() : primary(); }

  const Node* call(const std::string& name, const std::vector<const Node*>& args,
                   const Node* base) {
    if (name == "exp" && args.size() == 1)
      return make(Kind::kPower, {make(Kind::kConstant, {}, "e"), args[0]});
    if (name == "cbrt" && args.size() == 1)
      return make(Kind::kRoot, {args[0], arena_.number(3)});
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
  std::vector<const Node*> function_arguments() {
    if (sign('(') || sign('{') || sign('[')) {
      const Node* inside = sign('{') ? braces() : brackets();
      if (inside->is(Kind::kTuple) || inside->is(Kind::kList)) return inside->args;
      return {inside};
    }
    if (command("lbrace")) return set()->args;
    const Node* product = factor();
    while (starts_factor(*product) && !sign('(') && !sign('[') && !sign('{') &&
           !(now().kind == TokenKind::kCommand && is_function(now().text)))
      product = this->product(product, factor());
    return {product};
  }

  // \dot{x}_{0}, \overline{AB}: one symbol.
  const Node* accent(const std::string& name) {
    advance();
    std::string text = name;
    if (take('{')) {
      for (int depth = 1; depth > 0; advance()) {
        if (at_end()) throw SyntaxError{};
        if (sign('{')) ++depth;
        else if (sign('}')) --depth;
        else text += " " + now().text;
      }
    } else {
      text += " " + now().text;
      advance();
    }
    if (text == "mathbb R") return make(Kind::kConstant, {}, "reals");
    return symbol(text + name_marks());
  }

  const Node* figure(const std::string& name) {
    advance();
    std::string text = name;
    while (now().kind == TokenKind::kLetter) {
      text += " " + now().text;
      advance();
      text += name_marks();
    }
    return symbol(text);
  }

  const Node* matrix() {
    const std::string environment = now().text.substr(6);
    for (const std::string_view other : {"cases", "align", "aligned", "align*", "gathered"})
      if (environment == other) throw SyntaxError{};
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
    if (cells.empty()) throw SyntaxError{};
    const Node* node = arena_.add({.kind = Kind::kMatrix, .args = cells, .columns = columns});
    return environment == "vmatrix" ? make(Kind::kCall, {node}, "det") : node;
  }

  std::vector<Token> tokens_;
  Arena& arena_;
  WorkBudget& budget_;
  size_t at_ = 0;
  int depth_ = 0;
  int bars_ = 0;  // | open
  std::string unit_;  // of the side that is being read
};

}  // namespace

const Node* parse_answer(const std::vector<Token>& tokens, Arena& arena, WorkBudget& budget) {
  try {
    return Parser(tokens, arena, budget).run();
  } catch (const SyntaxError&) {
    return arena.make(NodeKind::kOpaque, {}, token_key(tokens));
  }
}

}  // namespace covrl::math
