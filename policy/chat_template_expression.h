// Expressions of the chat-template language as trees that evaluate themselves.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "policy/chat_template_interpreter.h"

namespace covrl::jinja {

class Expression {
 public:
  explicit Expression(int line) : line_(line) {}
  virtual ~Expression() = default;
  int line() const { return line_; }
  // Call through Interpreter::evaluate, which counts the work.
  virtual Value evaluate(Interpreter& interpreter) const = 0;
  // Not null for a bare name: what `set` and `for` can assign to.
  virtual const std::string* assigned_name() const { return nullptr; }

 private:
  int line_;
};
using ExpressionPointer = std::unique_ptr<const Expression>;

struct ArgumentList {
  std::vector<ExpressionPointer> positional;
  std::vector<std::pair<std::string, ExpressionPointer>> named;
  Arguments evaluate(Interpreter& interpreter) const;
};

class Constant : public Expression {
 public:
  Constant(int line, Value value) : Expression(line), value_(std::move(value)) {}
  Value evaluate(Interpreter&) const override { return value_; }

 private:
  Value value_;
};

class Name : public Expression {
 public:
  Name(int line, std::string name) : Expression(line), name_(std::move(name)) {}
  Value evaluate(Interpreter& interpreter) const override { return interpreter.lookup(name_); }
  const std::string* assigned_name() const override { return &name_; }

 private:
  std::string name_;
};

class ListLiteral : public Expression {
 public:
  ListLiteral(int line, std::vector<ExpressionPointer> items)
      : Expression(line), items_(std::move(items)) {}
  Value evaluate(Interpreter& interpreter) const override;
  const std::vector<ExpressionPointer>& items() const { return items_; }

 private:
  std::vector<ExpressionPointer> items_;
};

class DictLiteral : public Expression {
 public:
  using Entries = std::vector<std::pair<ExpressionPointer, ExpressionPointer>>;
  DictLiteral(int line, Entries entries) : Expression(line), entries_(std::move(entries)) {}
  Value evaluate(Interpreter& interpreter) const override;

 private:
  Entries entries_;
};

class Attribute : public Expression {
 public:
  Attribute(int line, ExpressionPointer subject, std::string name)
      : Expression(line), subject_(std::move(subject)), name_(std::move(name)) {}
  Value evaluate(Interpreter& interpreter) const override;
  const Expression& subject() const { return *subject_; }
  const std::string& name() const { return name_; }

 private:
  ExpressionPointer subject_;
  std::string name_;
};

class Item : public Expression {
 public:
  Item(int line, ExpressionPointer subject, ExpressionPointer key)
      : Expression(line), subject_(std::move(subject)), key_(std::move(key)) {}
  Value evaluate(Interpreter& interpreter) const override;

 private:
  ExpressionPointer subject_, key_;
};

class Slice : public Expression {
 public:
  // Null bounds are left out.
  Slice(int line, ExpressionPointer subject, ExpressionPointer start, ExpressionPointer stop,
        ExpressionPointer step)
      : Expression(line),
        subject_(std::move(subject)),
        start_(std::move(start)),
        stop_(std::move(stop)),
        step_(std::move(step)) {}
  Value evaluate(Interpreter& interpreter) const override;

 private:
  ExpressionPointer subject_, start_, stop_, step_;
};

class Call : public Expression {
 public:
  Call(int line, ExpressionPointer callee, ArgumentList arguments)
      : Expression(line), callee_(std::move(callee)), arguments_(std::move(arguments)) {}
  Value evaluate(Interpreter& interpreter) const override;

 private:
  Value call_object(Interpreter& interpreter, const Value& callee) const;
  ExpressionPointer callee_;
  ArgumentList arguments_;
};

class Filter : public Expression {
 public:
  Filter(int line, std::string name, ExpressionPointer subject, ArgumentList arguments)
      : Expression(line),
        name_(std::move(name)),
        subject_(std::move(subject)),
        arguments_(std::move(arguments)) {}
  Value evaluate(Interpreter& interpreter) const override;

 private:
  std::string name_;
  ExpressionPointer subject_;
  ArgumentList arguments_;
};

class Test : public Expression {
 public:
  Test(int line, std::string name, bool negated, ExpressionPointer subject, ArgumentList arguments)
      : Expression(line),
        name_(std::move(name)),
        negated_(negated),
        subject_(std::move(subject)),
        arguments_(std::move(arguments)) {}
  Value evaluate(Interpreter& interpreter) const override;

 private:
  std::string name_;
  bool negated_;
  ExpressionPointer subject_;
  ArgumentList arguments_;
};

// - + not
class Unary : public Expression {
 public:
  Unary(int line, std::string op, ExpressionPointer operand)
      : Expression(line), op_(std::move(op)), operand_(std::move(operand)) {}
  Value evaluate(Interpreter& interpreter) const override;

 private:
  std::string op_;
  ExpressionPointer operand_;
};

// + - * / // % ~ and or
class Binary : public Expression {
 public:
  Binary(int line, std::string op, ExpressionPointer left, ExpressionPointer right)
      : Expression(line), op_(std::move(op)), left_(std::move(left)), right_(std::move(right)) {}
  Value evaluate(Interpreter& interpreter) const override;

 private:
  std::string op_;
  ExpressionPointer left_, right_;
};

// a < b <= c: operators are == != < <= > >= in, not in.
class Comparison : public Expression {
 public:
  using Links = std::vector<std::pair<std::string, ExpressionPointer>>;
  Comparison(int line, ExpressionPointer first, Links links)
      : Expression(line), first_(std::move(first)), links_(std::move(links)) {}
  Value evaluate(Interpreter& interpreter) const override;

 private:
  ExpressionPointer first_;
  Links links_;
};

// yes if condition else no
class Conditional : public Expression {
 public:
  // `no` may be null: undefined.
  Conditional(int line, ExpressionPointer condition, ExpressionPointer yes, ExpressionPointer no)
      : Expression(line),
        condition_(std::move(condition)),
        yes_(std::move(yes)),
        no_(std::move(no)) {}
  Value evaluate(Interpreter& interpreter) const override;

 private:
  ExpressionPointer condition_, yes_, no_;
};

}  // namespace covrl::jinja
