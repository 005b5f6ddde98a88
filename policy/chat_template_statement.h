// Statements of the chat-template language as trees that run themselves.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "policy/chat_template_expression.h"
#include "policy/chat_template_interpreter.h"

namespace covrl::jinja {

enum class Flow { kNext, kBreak, kContinue };

class Statement {
 public:
  explicit Statement(int line) : line_(line) {}
  virtual ~Statement() = default;
  int line() const { return line_; }
  virtual Flow run(Interpreter& interpreter) const = 0;

 private:
  int line_;
};

struct Block {
  std::vector<std::unique_ptr<const Statement>> statements;
  Flow run(Interpreter& interpreter) const;
};

// What `set` and `for` assign to: a name, an attribute of a namespace, or several of these.
struct Target {
  std::string name;
  std::string attribute;      // of the namespace `name`; empty: the name itself
  std::vector<Target> parts;  // not empty: the items of a list
  void assign(Interpreter& interpreter, const Value& value) const;
};

class Text : public Statement {
 public:
  Text(int line, std::string text) : Statement(line), text_(std::move(text)) {}
  Flow run(Interpreter& interpreter) const override;

 private:
  std::string text_;
};

class Output : public Statement {
 public:
  Output(int line, ExpressionPointer expression)
      : Statement(line), expression_(std::move(expression)) {}
  Flow run(Interpreter& interpreter) const override;

 private:
  ExpressionPointer expression_;
};

class If : public Statement {
 public:
  using Branches =
      std::vector<std::pair<ExpressionPointer, Block>>;  // the condition of else is null
  If(int line, Branches branches) : Statement(line), branches_(std::move(branches)) {}
  Flow run(Interpreter& interpreter) const override;

 private:
  Branches branches_;
};

class For : public Statement {
 public:
  struct Parts {
    Target target;
    ExpressionPointer sequence, condition;  // the condition may be null
    Block body, otherwise;                  // otherwise: when nothing was walked
  };
  For(int line, Parts parts) : Statement(line), parts_(std::move(parts)) {}
  Flow run(Interpreter& interpreter) const override;

 private:
  std::vector<Value> select(Interpreter& interpreter) const;
  Parts parts_;
};

class Set : public Statement {
 public:
  Set(int line, Target target, ExpressionPointer value)
      : Statement(line), target_(std::move(target)), value_(std::move(value)) {}
  Flow run(Interpreter& interpreter) const override;

 private:
  Target target_;
  ExpressionPointer value_;
};

// {% set target | filter %}text{% endset %}
class SetBlock : public Statement {
 public:
  using Filters = std::vector<std::pair<std::string, ArgumentList>>;
  SetBlock(int line, Target target, Filters filters, Block body)
      : Statement(line),
        target_(std::move(target)),
        filters_(std::move(filters)),
        body_(std::move(body)) {}
  Flow run(Interpreter& interpreter) const override;

 private:
  Target target_;
  Filters filters_;
  Block body_;
};

class Macro : public Statement {
 public:
  struct Parameter {
    std::string name;
    ExpressionPointer default_value;  // may be null
  };
  Macro(int line, std::string name, std::vector<Parameter> parameters, Block body)
      : Statement(line),
        name_(std::move(name)),
        parameters_(std::move(parameters)),
        body_(std::move(body)) {}
  Flow run(Interpreter& interpreter) const override;  // defines it
  const std::string& name() const { return name_; }
  // Below `scope`, that of the definition.
  Value call(Interpreter& interpreter, const std::shared_ptr<Scope>& scope,
             const Arguments& arguments) const;

 private:
  std::string name_;
  std::vector<Parameter> parameters_;
  Block body_;
};

// {% break %} and {% continue %}
class Jump : public Statement {
 public:
  Jump(int line, Flow flow) : Statement(line), flow_(flow) {}
  Flow run(Interpreter&) const override { return flow_; }

 private:
  Flow flow_;
};

// {% generation %}, with which transformers marks the text of the assistant: its body in a scope of
// its own.
class Generation : public Statement {
 public:
  Generation(int line, Block body) : Statement(line), body_(std::move(body)) {}
  Flow run(Interpreter& interpreter) const override;

 private:
  Block body_;
};

}  // namespace covrl::jinja
