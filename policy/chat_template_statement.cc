#include "policy/chat_template_statement.h"

#include "core/error.h"
#include "policy/chat_template_objects.h"

namespace covrl::jinja {
namespace {

class MacroObject : public Object {
 public:
  MacroObject(const Macro& macro, std::shared_ptr<Scope> scope) : macro_(macro), scope_(scope) {}
  std::string type_name() const override { return "Macro"; }
  bool callable() const override { return true; }
  std::optional<Value> attribute(const std::string& name) const override {
    if (name == "name") return Value::string(macro_.name());
    return std::nullopt;
  }
  std::optional<Value> call(Interpreter& interpreter, const Arguments& arguments) override {
    const std::shared_ptr<Scope> scope = scope_.lock();
    if (scope == nullptr) interpreter.unsupported("a macro outside the block that defines it");
    return macro_.call(interpreter, scope, arguments);
  }

 private:
  const Macro& macro_;
  std::weak_ptr<Scope> scope_;  // the scope holds the macro
};

}  // namespace

Flow Block::run(Interpreter& interpreter) const {
  for (const auto& statement : statements) {
    interpreter.charge(1);
    interpreter.set_line(statement->line());
    if (const Flow flow = statement->run(interpreter); flow != Flow::kNext) return flow;
  }
  return Flow::kNext;
}

void Target::assign(Interpreter& interpreter, const Value& value) const {
  if (!parts.empty()) {
    const std::vector<Value> items = iterate(interpreter, value);
    if (items.size() != parts.size()) {
      interpreter.fail(
          concat("cannot assign ", items.size(), " values to ", parts.size(), " names"));
    }
    for (size_t i = 0; i < parts.size(); ++i) parts[i].assign(interpreter, items[i]);
  } else if (attribute.empty()) {
    interpreter.assign(name, value);
  } else {
    const Value target = interpreter.lookup(name);
    if (value.is_object()) interpreter.unsupported("a " + value.type_name() + " in a namespace");
    if (!target.is_object() || !target.as_object().set_attribute(attribute, value)) {
      interpreter.fail(concat("cannot set '", name, ".", attribute, "': '", name,
                              "' is not a namespace but of type ", target.type_name()));
    }
  }
}

Flow Text::run(Interpreter& interpreter) const {
  interpreter.write(text_);
  return Flow::kNext;
}

Flow Output::run(Interpreter& interpreter) const {
  interpreter.write(interpreter.evaluate(*expression_));
  return Flow::kNext;
}

Flow If::run(Interpreter& interpreter) const {
  for (const auto& [condition, body] : branches_) {
    if (condition == nullptr || interpreter.evaluate(*condition).truthy()) {
      return body.run(interpreter);
    }
  }
  return Flow::kNext;
}

std::vector<Value> For::select(Interpreter& interpreter) const {
  std::vector<Value> items = iterate(interpreter, interpreter.evaluate(*parts_.sequence));
  if (parts_.condition == nullptr) return items;
  std::vector<Value> chosen;
  for (Value& item : items) {
    interpreter.in_scope(interpreter.scope(), [&] {
      parts_.target.assign(interpreter, item);
      if (interpreter.evaluate(*parts_.condition).truthy()) chosen.push_back(std::move(item));
    });
  }
  return chosen;
}

Flow For::run(Interpreter& interpreter) const {
  const auto items = std::make_shared<const std::vector<Value>>(select(interpreter));
  const std::shared_ptr<Scope> outer = interpreter.scope();
  for (size_t i = 0; i < items->size(); ++i) {
    Flow flow = Flow::kNext;
    interpreter.charge(1);
    interpreter.in_scope(outer, [&] {
      interpreter.assign("loop", Value::object(std::make_shared<Loop>(items, i)));
      parts_.target.assign(interpreter, (*items)[i]);
      flow = parts_.body.run(interpreter);
    });
    if (flow == Flow::kBreak) break;
  }
  if (items->empty()) {
    Flow flow = Flow::kNext;
    interpreter.in_scope(outer, [&] { flow = parts_.otherwise.run(interpreter); });
    return flow;
  }
  return Flow::kNext;
}

Flow Set::run(Interpreter& interpreter) const {
  target_.assign(interpreter, interpreter.evaluate(*value_));
  return Flow::kNext;
}

Flow SetBlock::run(Interpreter& interpreter) const {
  Flow flow = Flow::kNext;
  std::string text = interpreter.render(
      [&] { interpreter.in_scope(interpreter.scope(), [&] { flow = body_.run(interpreter); }); });
  Value value = interpreter.make_string(std::move(text));
  for (const auto& [name, arguments] : filters_) {
    value = apply_filter(interpreter, name, value, arguments.evaluate(interpreter));
  }
  target_.assign(interpreter, value);
  return flow;
}

Flow Macro::run(Interpreter& interpreter) const {
  interpreter.assign(name_,
                     Value::object(std::make_shared<MacroObject>(*this, interpreter.scope())));
  return Flow::kNext;
}

Value Macro::call(Interpreter& interpreter, const std::shared_ptr<Scope>& scope,
                  const Arguments& arguments) const {
  if (arguments.positional.size() > parameters_.size()) {
    interpreter.fail(concat("macro '", name_, "' takes ", parameters_.size(), " arguments, not ",
                            arguments.positional.size()));
  }
  for (const auto& [name, value] : arguments.named) {
    bool known = false;
    for (const Parameter& parameter : parameters_) known = known || parameter.name == name;
    if (!known) interpreter.fail(concat("macro '", name_, "' has no parameter '", name, "'"));
  }
  std::string text;
  interpreter.in_scope(scope, [&] {
    for (size_t i = 0; i < parameters_.size(); ++i) {
      const auto& [name, default_value] = parameters_[i];
      const Value* given = arguments.find(i, name);
      interpreter.assign(name, given != nullptr           ? *given
                               : default_value != nullptr ? interpreter.evaluate(*default_value)
                                                          : Value::undefined(name));
    }
    text = interpreter.render([&] { body_.run(interpreter); });
  });
  return interpreter.make_string(std::move(text));
}

Flow Generation::run(Interpreter& interpreter) const {
  Flow flow = Flow::kNext;
  interpreter.in_scope(interpreter.scope(), [&] { flow = body_.run(interpreter); });
  return flow;
}

}  // namespace covrl::jinja
