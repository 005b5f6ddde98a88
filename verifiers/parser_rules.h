// State and rules of the parser (parser.h has the grammar). For the parser's own sources.
#pragma once

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "verifiers/expression.h"
#include "verifiers/lexer.h"
#include "verifiers/work_budget.h"

namespace covrl::math {

struct SyntaxError {};

// Marks one level of nesting while it lives.
class Level {
 public:
  explicit Level(int& depth) : depth_(depth) {
    if (++depth_ > WorkBudget::kMostDepth) throw OverBudget{"too deeply nested", true};
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

  // Throws SyntaxError, OverBudget.
  const Node* run() {
    const Node* node = list();
    if (!at_end()) throw SyntaxError{};
    return node;
  }

 private:
  using Kind = NodeKind;
  using Nodes = std::vector<const Node*>;

  // ---- Tokens.
  const Token& now() const { return tokens_[at_]; }
  const Token& ahead(size_t n) const { return tokens_[std::min(at_ + n, tokens_.size() - 1)]; }
  bool at_end() const { return now().kind == TokenKind::kEnd; }
  bool sign(char c) const { return now().sign(c); }
  bool command(std::string_view name) const { return now().is(TokenKind::kCommand, name); }
  void advance() {
    budget_.spend(10);
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
  const Node* make(Kind kind, Nodes args, std::string text = {}) {
    return arena_.make(kind, std::move(args), std::move(text));
  }
  const Node* symbol(std::string name) { return make(Kind::kSymbol, {}, std::move(name)); }

  // ---- Lists.
  bool separator() const { return sign(',') || sign(';') || now().kind == TokenKind::kWord; }
  bool closes() const;
  const Node* list();

  // ---- Relations.
  bool relation_sign(Relation& relation) const;
  const Node* element();
  // Whether a word from `begin` to here is such a one.
  bool has_word(size_t begin, bool (*is_such)(std::string_view)) const;
  // `P(x)` of `P(x) = ...`, where P(x) elsewhere may be a product; nullptr when none is here.
  const Node* definition_name();
  // \pmod{7}, (\bmod 7), \mod 7
  const Node* modulus();

  // ---- Ratios, sets.
  const Node* side();
  const Node* with_unit();
  const Node* united();

  // ---- Sums and products.
  // Which sign is here: '+', '-', '~' for \pm, 'm' for \mp; 0 when none.
  char additive_sign() const;
  const Node* signed_node(char additive, const Node* node);
  const Node* sum();
  // A term after a sign may have another: 3 - -2.
  const Node* signed_term();
  const Node* term();
  const Node* product(const Nodes& factors);
  void multiply(Nodes& factors, const Node* right);
  const Node* divisor();
  const Node* signed_factor();
  // What follows without an operator: the fraction of a mixed number, or a factor.
  void adjacent(Nodes& factors);
  static bool proper(const Node& above, const Node& below);
  bool starts_factor(const Node& left) const;
  static bool starts_primary(std::string_view name);

  // ---- Units.
  // Words behind a value.
  void unit(Nodes& factors);

  // ---- Factors.
  const Node* factor();
  const Node* percent(const Node* node);
  // What a degree sign belongs to is a unit; C or F after it too. Minutes and seconds may follow.
  const Node* degrees(const Node* value);
  const Node* power(const Node* base);
  // y^{\prime}
  const Node* primes(const Node* base);
  const Node* exponent();
  // 52_8, (3021)_{4}
  const Node* based(const Node* node);

  // ---- Primaries.
  const Node* primary();
  const Node* number();
  const Node* words();
  // The text of a subscript.
  std::string subscript();
  std::string name_marks();
  bool is_choice_ahead() const;
  const Node* prefixed_choice();
  const Node* choice_of_numbers();
  const Node* letter();
  const Node* brackets();
  // {3 \over 4} too.
  const Node* braces();
  const Node* bars();
  const Node* set();
  // {x | 2 < x < 5}: what it says of x; nullptr when this is another set.
  const Node* set_by_condition();
  const Node* angle_brackets();
  // The argument of a command: {...}, or one digit, letter or command.
  const Node* argument();
  // \frac12: the digits are two arguments.
  const Node* first_digit();
  const Node* command();
  const Node* fraction();
  // \frac{dx}{dt} is one symbol; nullptr when it is an ordinary fraction.
  const Node* derivative();
  const Node* root(bool cubic);
  const Node* binomial();
  const Node* rounded(const std::string& name);
  // \sum_{k=0}^{n} body: compared as it stands.
  const Node* big(const std::string& name);
  std::string limit_text();
  bool is_split_base() const;
  const Node* function(const std::string& name);
  const Node* argument_or_number() { return sign('{') ? braces() : primary(); }
  // 30 degrees -> 30 pi/180, in an argument of a function.
  const Node* in_radians(const Node* angle);
  const Node* call(const std::string& name, const Nodes& args, const Node* base);
  // In brackets or braces; else the factors up to a sign, a bracket or the next function.
  Nodes function_arguments();
  // \dot{x}_{0}, \overline{AB}: one symbol.
  const Node* accent(const std::string& name);
  const Node* figure(const std::string& name);
  const Node* matrix();
  std::vector<Token> tokens_;
  Arena& arena_;
  WorkBudget& budget_;
  size_t at_ = 0;
  int depth_ = 0;
  int bars_ = 0;      // | open
  std::string unit_;  // of the side that is being read
};

}  // namespace covrl::math
