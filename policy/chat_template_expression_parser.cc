#include "core/error.h"
#include "policy/chat_template_parser.h"

namespace covrl::jinja {
namespace {

using Kind = Token::Kind;

std::string describe(const Token& token) {
  switch (token.kind) {
    case Kind::kEnd:
      return "the end of the tag";
    case Kind::kString:
      return "the string '" + token.text + "'";
    case Kind::kInteger:
      return concat("the number ", token.integer);
    case Kind::kReal:
      return concat("the number ", token.real);
    default:
      return "'" + token.text + "'";
  }
}

}  // namespace

// Bounds the recursion of the parser.
class ExpressionParser::Nesting {
 public:
  explicit Nesting(ExpressionParser& parser) : parser_(parser) {
    if (++parser_.depth_ > 200) parser_.fail("an expression nests too deep");
  }
  ~Nesting() { --parser_.depth_; }

 private:
  ExpressionParser& parser_;
};

void ExpressionParser::fail(const std::string& message) const {
  throw_usage(where_, ":", line(), ": chat template: ", message);
}

void ExpressionParser::unsupported(const std::string& construct) const {
  fail(construct +
       " is not supported. Name a built-in family (chat_template: qwen2.5) or the path of a .jinja "
       "file instead");
}

bool ExpressionParser::at_name(std::string_view name) const {
  return current().kind == Kind::kName && current().text == name;
}

bool ExpressionParser::at_operator(std::string_view op) const {
  return current().kind == Kind::kOperator && current().text == op;
}

bool ExpressionParser::accept_name(std::string_view name) {
  if (!at_name(name)) return false;
  next();
  return true;
}

bool ExpressionParser::accept_operator(std::string_view op) {
  if (!at_operator(op)) return false;
  next();
  return true;
}

std::string ExpressionParser::expect_any_name() {
  if (current().kind != Kind::kName) fail("expected a name, got " + describe(current()));
  return next().text;
}

void ExpressionParser::expect_operator(std::string_view op) {
  if (!accept_operator(op)) fail(concat("expected '", op, "', got ", describe(current())));
}

void ExpressionParser::expect_end() const {
  if (current().kind != Kind::kEnd) fail("unexpected " + describe(current()));
}

ExpressionPointer ExpressionParser::parse_expression() {
  const Nesting nesting(*this);
  ExpressionPointer result = parse_or();
  while (at_name("if")) {
    const int line = next().line;
    ExpressionPointer condition = parse_or();
    ExpressionPointer otherwise = accept_name("else") ? parse_expression() : nullptr;
    result = std::make_unique<Conditional>(line, std::move(condition), std::move(result),
                                           std::move(otherwise));
  }
  return result;
}

ExpressionPointer ExpressionParser::parse_tuple(bool conditional) {
  const int line = this->line();
  std::vector<ExpressionPointer> items;
  bool is_tuple = false;
  do {
    const bool at_close = current().kind == Kind::kEnd || at_operator(")");
    if (is_tuple && (at_close || at_operator("=") || at_name("in"))) break;
    items.push_back(conditional ? parse_expression() : parse_or());
    is_tuple = is_tuple || at_operator(",");
  } while (accept_operator(","));
  if (!is_tuple) return std::move(items[0]);
  return std::make_unique<ListLiteral>(line, std::move(items));
}

ExpressionPointer ExpressionParser::parse_or() {
  ExpressionPointer left = parse_and();
  while (at_name("or")) {
    const int line = next().line;
    left = std::make_unique<Binary>(line, "or", std::move(left), parse_and());
  }
  return left;
}

ExpressionPointer ExpressionParser::parse_and() {
  ExpressionPointer left = parse_not();
  while (at_name("and")) {
    const int line = next().line;
    left = std::make_unique<Binary>(line, "and", std::move(left), parse_not());
  }
  return left;
}

ExpressionPointer ExpressionParser::parse_not() {
  const Nesting nesting(*this);
  if (!at_name("not")) return parse_comparison();
  const int line = next().line;
  return std::make_unique<Unary>(line, "not", parse_not());
}

ExpressionPointer ExpressionParser::parse_comparison() {
  const int line = this->line();
  ExpressionPointer first = parse_sum();
  Comparison::Links links;
  for (;;) {
    std::string op;
    for (const char* candidate : {"==", "!=", "<=", ">=", "<", ">"}) {
      if (op.empty() && accept_operator(candidate)) op = candidate;
    }
    if (op.empty() && accept_name("in")) op = "in";
    if (op.empty() && at_name("not") && peek().kind == Kind::kName && peek().text == "in") {
      position_ += 2;
      op = "not in";
    }
    if (op.empty()) break;
    links.emplace_back(op, parse_sum());
  }
  if (links.empty()) return first;
  return std::make_unique<Comparison>(line, std::move(first), std::move(links));
}

ExpressionPointer ExpressionParser::parse_sum() {
  ExpressionPointer left = parse_concatenation();
  while (at_operator("+") || at_operator("-")) {
    const Token& op = next();
    left = std::make_unique<Binary>(op.line, op.text, std::move(left), parse_concatenation());
  }
  return left;
}

ExpressionPointer ExpressionParser::parse_concatenation() {
  ExpressionPointer left = parse_product();
  while (at_operator("~")) {
    const int line = next().line;
    left = std::make_unique<Binary>(line, "~", std::move(left), parse_product());
  }
  return left;
}

ExpressionPointer ExpressionParser::parse_product() {
  ExpressionPointer left = parse_unary(true);
  while (at_operator("*") || at_operator("/") || at_operator("//") || at_operator("%")) {
    const Token& op = next();
    left = std::make_unique<Binary>(op.line, op.text, std::move(left), parse_unary(true));
  }
  if (at_operator("**")) unsupported("the operator **");
  return left;
}

ExpressionPointer ExpressionParser::parse_unary(bool with_filters) {
  const Nesting nesting(*this);
  ExpressionPointer result;
  if (at_operator("-") || at_operator("+")) {
    const Token& op = next();
    result = std::make_unique<Unary>(op.line, op.text, parse_unary(false));
  } else {
    result = parse_primary();
  }
  result = parse_postfix(std::move(result));
  return with_filters ? parse_filters(std::move(result)) : std::move(result);
}

ExpressionPointer ExpressionParser::parse_primary() {
  const Token& token = current();
  switch (token.kind) {
    case Kind::kName:
      return parse_name();
    case Kind::kString:
      return parse_string();
    case Kind::kInteger:
      return std::make_unique<Constant>(token.line, Value::integer(next().integer));
    case Kind::kReal:
      return std::make_unique<Constant>(token.line, Value::real(next().real));
    default:
      break;
  }
  if (at_operator("(")) return parse_parentheses();
  if (at_operator("[")) return parse_list();
  if (at_operator("{")) return parse_dict();
  fail("unexpected " + describe(token));
}

ExpressionPointer ExpressionParser::parse_name() {
  const Token& token = next();
  const std::string& name = token.text;
  if (name == "true" || name == "True")
    return std::make_unique<Constant>(token.line, Value::boolean(true));
  if (name == "false" || name == "False")
    return std::make_unique<Constant>(token.line, Value::boolean(false));
  if (name == "none" || name == "None")
    return std::make_unique<Constant>(token.line, Value::none());
  return std::make_unique<Name>(token.line, name);
}

ExpressionPointer ExpressionParser::parse_string() {
  const int line = this->line();
  std::string text;
  while (current().kind == Kind::kString) text += next().text;
  return std::make_unique<Constant>(line, Value::string(std::move(text)));
}

ExpressionPointer ExpressionParser::parse_parentheses() {
  const int line = next().line;
  if (accept_operator(")"))
    return std::make_unique<ListLiteral>(line, std::vector<ExpressionPointer>());
  ExpressionPointer inner = parse_tuple(true);
  expect_operator(")");
  return inner;
}

ExpressionPointer ExpressionParser::parse_list() {
  const int line = next().line;
  std::vector<ExpressionPointer> items;
  while (!at_operator("]")) {
    items.push_back(parse_expression());
    if (!accept_operator(",")) break;
  }
  expect_operator("]");
  return std::make_unique<ListLiteral>(line, std::move(items));
}

ExpressionPointer ExpressionParser::parse_dict() {
  const int line = next().line;
  DictLiteral::Entries entries;
  while (!at_operator("}")) {
    ExpressionPointer key = parse_expression();
    expect_operator(":");
    entries.emplace_back(std::move(key), parse_expression());
    if (!accept_operator(",")) break;
  }
  expect_operator("}");
  return std::make_unique<DictLiteral>(line, std::move(entries));
}

ExpressionPointer ExpressionParser::parse_postfix(ExpressionPointer subject) {
  for (;;) {
    const int line = this->line();
    if (accept_operator(".")) {
      if (current().kind == Kind::kInteger) {
        auto key = std::make_unique<Constant>(line, Value::integer(next().integer));
        subject = std::make_unique<Item>(line, std::move(subject), std::move(key));
      } else {
        subject = std::make_unique<Attribute>(line, std::move(subject), expect_any_name());
      }
    } else if (accept_operator("[")) {
      subject = parse_subscript(std::move(subject));
    } else if (accept_operator("(")) {
      subject = std::make_unique<Call>(line, std::move(subject), parse_arguments());
    } else {
      return subject;
    }
  }
}

ExpressionPointer ExpressionParser::parse_subscript(ExpressionPointer subject) {
  const int line = this->line();
  ExpressionPointer bounds[3];
  size_t colons = 0;
  while (!at_operator("]")) {
    if (accept_operator(":")) {
      if (++colons > 2) fail("a slice has more than two ':'");
    } else if (bounds[colons] == nullptr && !at_operator(",")) {
      bounds[colons] = parse_expression();
    } else {
      fail("unexpected " + describe(current()));
    }
  }
  expect_operator("]");
  if (colons > 0) {
    return std::make_unique<Slice>(line, std::move(subject), std::move(bounds[0]),
                                   std::move(bounds[1]), std::move(bounds[2]));
  }
  if (bounds[0] == nullptr) fail("expected an index between [ and ]");
  return std::make_unique<Item>(line, std::move(subject), std::move(bounds[0]));
}

ArgumentList ExpressionParser::parse_arguments() {
  ArgumentList result;
  while (!at_operator(")")) {
    if (at_operator("*") || at_operator("**"))
      unsupported("a call with " + current().text + "arguments");
    if (current().kind == Kind::kName && peek().kind == Kind::kOperator && peek().text == "=") {
      std::string name = next().text;
      next();
      result.named.emplace_back(std::move(name), parse_expression());
    } else {
      if (!result.named.empty()) fail("a positional argument follows a named one");
      result.positional.push_back(parse_expression());
    }
    if (!accept_operator(",")) break;
  }
  expect_operator(")");
  return result;
}

std::string ExpressionParser::parse_dotted_name() {
  std::string name = expect_any_name();
  while (accept_operator(".")) name += "." + expect_any_name();
  return name;
}

ExpressionPointer ExpressionParser::parse_filters(ExpressionPointer subject) {
  for (;;) {
    const int line = this->line();
    if (accept_operator("|")) {
      std::string name = parse_dotted_name();
      ArgumentList arguments = accept_operator("(") ? parse_arguments() : ArgumentList();
      subject =
          std::make_unique<Filter>(line, std::move(name), std::move(subject), std::move(arguments));
    } else if (accept_name("is")) {
      subject = parse_test(std::move(subject));
    } else if (accept_operator("(")) {
      subject = std::make_unique<Call>(line, std::move(subject), parse_arguments());
    } else {
      return subject;
    }
  }
}

bool ExpressionParser::at_test_argument() const {
  if (at_operator("[") || at_operator("{")) return true;
  if (current().kind == Kind::kOperator || current().kind == Kind::kEnd) return false;
  for (const char* name : {"else", "or", "and", "if", "is", "in", "not"}) {
    if (at_name(name)) return false;
  }
  return true;
}

ExpressionPointer ExpressionParser::parse_test(ExpressionPointer subject) {
  const int line = this->line();
  const bool negated = accept_name("not");
  std::string name = parse_dotted_name();
  ArgumentList arguments;
  if (accept_operator("(")) {
    arguments = parse_arguments();
  } else if (at_test_argument()) {
    arguments.positional.push_back(parse_postfix(parse_primary()));
  }
  return std::make_unique<Test>(line, std::move(name), negated, std::move(subject),
                                std::move(arguments));
}

Target ExpressionParser::parse_target() {
  const Nesting nesting(*this);
  std::vector<Target> parts;
  bool several = false;
  do {
    if (several && (at_name("in") || at_operator("=") || at_operator(")"))) break;
    Target part;
    if (accept_operator("(")) {
      part = parse_target();
      expect_operator(")");
    } else {
      part.name = expect_any_name();
      if (accept_operator(".")) part.attribute = expect_any_name();
    }
    parts.push_back(std::move(part));
    several = several || at_operator(",");
  } while (accept_operator(","));
  if (!several) return std::move(parts[0]);
  Target result;
  result.parts = std::move(parts);
  return result;
}

}  // namespace covrl::jinja
