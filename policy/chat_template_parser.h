// Parses a chat template into statements.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "policy/chat_template_expression.h"
#include "policy/chat_template_lexer.h"
#include "policy/chat_template_statement.h"

namespace covrl::jinja {

// `where`: the file, for errors. Throws Error(kUsage) as where:line for syntax errors and for what
// is outside the subset, which it names together with the remedy.
Block parse_template(std::string_view source, const std::string& where);

// The expressions of one tag.
class ExpressionParser {
 public:
  ExpressionParser(const std::vector<Token>& tokens, const std::string& where)
      : tokens_(tokens), where_(where) {}

  ExpressionPointer parse_expression();  // with inline if
  // Expressions separated by commas are a list. `conditional`: inline if is allowed.
  ExpressionPointer parse_tuple(bool conditional);
  ArgumentList parse_arguments();  // after the opening parenthesis, through the closing one
  std::string parse_dotted_name();
  Target parse_target();

  bool accept_name(std::string_view name);
  bool accept_operator(std::string_view op);
  bool at_name(std::string_view name) const;
  bool at_operator(std::string_view op) const;
  std::string expect_any_name();
  void expect_operator(std::string_view op);
  void expect_end() const;
  const Token& current() const { return tokens_[position_]; }
  int line() const { return current().line; }
  [[noreturn]] void fail(const std::string& message) const;
  [[noreturn]] void unsupported(const std::string& construct) const;

 private:
  class Nesting;
  ExpressionPointer parse_or();
  ExpressionPointer parse_and();
  ExpressionPointer parse_not();
  ExpressionPointer parse_comparison();
  ExpressionPointer parse_sum();
  ExpressionPointer parse_concatenation();
  ExpressionPointer parse_product();
  ExpressionPointer parse_unary(bool with_filters);
  ExpressionPointer parse_primary();
  ExpressionPointer parse_name();
  ExpressionPointer parse_string();
  ExpressionPointer parse_parentheses();
  ExpressionPointer parse_list();
  ExpressionPointer parse_dict();
  ExpressionPointer parse_postfix(ExpressionPointer subject);
  ExpressionPointer parse_subscript(ExpressionPointer subject);
  ExpressionPointer parse_filters(ExpressionPointer subject);
  ExpressionPointer parse_test(ExpressionPointer subject);
  bool at_test_argument() const;
  const Token& next() { return tokens_[position_++]; }
  const Token& peek() const {
    return tokens_[position_ + (current().kind == Token::Kind::kEnd ? 0 : 1)];
  }

  const std::vector<Token>& tokens_;
  const std::string& where_;
  size_t position_ = 0;
  int depth_ = 0;
};

}  // namespace covrl::jinja
