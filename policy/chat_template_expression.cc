#include "policy/chat_template_expression.h"

#include "core/error.h"

namespace covrl::jinja {

Arguments ArgumentList::evaluate(Interpreter& interpreter) const {
  Arguments result;
  for (const ExpressionPointer& value : positional) {
    result.positional.push_back(interpreter.evaluate(*value));
  }
  for (const auto& [name, value] : named) {
    result.named.emplace_back(name, interpreter.evaluate(*value));
  }
  return result;
}

Value ListLiteral::evaluate(Interpreter& interpreter) const {
  std::vector<Value> values;
  for (const ExpressionPointer& item : items_) values.push_back(interpreter.evaluate(*item));
  return interpreter.make_list(std::move(values));
}

Value DictLiteral::evaluate(Interpreter& interpreter) const {
  Value::Entries entries;
  for (const auto& [key_expression, value_expression] : entries_) {
    Value key = interpreter.evaluate(*key_expression);
    Value value = interpreter.evaluate(*value_expression);
    bool replaced = false;
    for (auto& [known, old] : entries) {
      interpreter.charge(1);
      if (!equal(known, key)) continue;
      old = value;
      replaced = true;
    }
    if (!replaced) entries.emplace_back(std::move(key), std::move(value));
  }
  return interpreter.make_dict(std::move(entries));
}

Value Attribute::evaluate(Interpreter& interpreter) const {
  const Value subject = interpreter.evaluate(*subject_);
  interpreter.set_line(line());
  return get_attribute(interpreter, subject, name_);
}

Value Item::evaluate(Interpreter& interpreter) const {
  const Value subject = interpreter.evaluate(*subject_);
  const Value key = interpreter.evaluate(*key_);
  interpreter.set_line(line());
  return get_item(interpreter, subject, key);
}

Value Slice::evaluate(Interpreter& interpreter) const {
  const Value subject = interpreter.evaluate(*subject_);
  const auto bound = [&](const ExpressionPointer& expression) {
    return expression == nullptr ? Value::none() : interpreter.evaluate(*expression);
  };
  const Value start = bound(start_), stop = bound(stop_), step = bound(step_);
  interpreter.set_line(line());
  if (!subject.is_string() && !subject.is_list()) {
    interpreter.fail(concat("a value of type ", subject.type_name(), " cannot be sliced"));
  }
  interpreter.charge(subject.cost());
  const std::vector<Value> items =
      subject.is_string() ? characters(subject.as_string()) : subject.as_list();
  std::vector<Value> chosen;
  std::string text;
  for (const size_t index :
       slice_indices(interpreter, static_cast<int64_t>(items.size()), start, stop, step)) {
    if (subject.is_string()) {
      text += items[index].as_string();
    } else {
      chosen.push_back(items[index]);
    }
  }
  return subject.is_string() ? interpreter.make_string(std::move(text))
                             : interpreter.make_list(std::move(chosen));
}

Value Call::evaluate(Interpreter& interpreter) const {
  const auto* method = dynamic_cast<const Attribute*>(callee_.get());
  if (method == nullptr) return call_object(interpreter, interpreter.evaluate(*callee_));
  const Value subject = interpreter.evaluate(method->subject());
  if (!has_method(subject, method->name())) {
    return call_object(interpreter, get_attribute(interpreter, subject, method->name()));
  }
  const Arguments arguments = arguments_.evaluate(interpreter);
  interpreter.set_line(line());
  return call_method(interpreter, subject, method->name(), arguments);
}

Value Call::call_object(Interpreter& interpreter, const Value& callee) const {
  const Arguments arguments = arguments_.evaluate(interpreter);
  interpreter.set_line(line());
  if (callee.is_undefined()) {
    interpreter.unsupported(
        concat("a call of '", callee.undefined_name(), "', which is undefined,"));
  }
  if (callee.is_object()) {
    if (std::optional<Value> result = callee.as_object().call(interpreter, arguments)) {
      interpreter.set_line(line());
      return *result;
    }
  }
  interpreter.fail(concat("a value of type ", callee.type_name(), " cannot be called"));
}

Value Filter::evaluate(Interpreter& interpreter) const {
  const Value subject = interpreter.evaluate(*subject_);
  const Arguments arguments = arguments_.evaluate(interpreter);
  interpreter.set_line(line());
  return apply_filter(interpreter, name_, subject, arguments);
}

Value Test::evaluate(Interpreter& interpreter) const {
  const Value subject = interpreter.evaluate(*subject_);
  const Arguments arguments = arguments_.evaluate(interpreter);
  interpreter.set_line(line());
  return Value::boolean(apply_test(interpreter, name_, subject, arguments) != negated_);
}

Value Unary::evaluate(Interpreter& interpreter) const {
  const Value operand = interpreter.evaluate(*operand_);
  interpreter.set_line(line());
  if (op_ == "not") return Value::boolean(!operand.truthy());
  if (operand.is_undefined()) interpreter.fail("'" + operand.undefined_name() + "' is undefined");
  if (!operand.is_number()) {
    interpreter.fail(concat("'", op_, "' cannot take a value of type ", operand.type_name()));
  }
  return arithmetic(interpreter, op_, Value::integer(0), operand);
}

Value Binary::evaluate(Interpreter& interpreter) const {
  const Value left = interpreter.evaluate(*left_);
  if (op_ == "and") return left.truthy() ? interpreter.evaluate(*right_) : left;
  if (op_ == "or") return left.truthy() ? left : interpreter.evaluate(*right_);
  const Value right = interpreter.evaluate(*right_);
  interpreter.set_line(line());
  return arithmetic(interpreter, op_, left, right);
}

Value Comparison::evaluate(Interpreter& interpreter) const {
  Value left = interpreter.evaluate(*first_);
  for (const auto& [op, expression] : links_) {
    Value right = interpreter.evaluate(*expression);
    interpreter.set_line(line());
    const bool holds = op == "in"       ? contains(interpreter, right, left)
                       : op == "not in" ? !contains(interpreter, right, left)
                                        : comparison(interpreter, op, left, right);
    if (!holds) return Value::boolean(false);
    left = std::move(right);
  }
  return Value::boolean(true);
}

Value Conditional::evaluate(Interpreter& interpreter) const {
  if (interpreter.evaluate(*condition_).truthy()) return interpreter.evaluate(*yes_);
  return no_ == nullptr ? Value::undefined("the inline if without else")
                        : interpreter.evaluate(*no_);
}

}  // namespace covrl::jinja
