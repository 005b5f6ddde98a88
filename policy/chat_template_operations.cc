// Operators and access of the chat-template language, with Python's meaning.
#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "policy/chat_template_interpreter.h"
#include "policy/unicode.h"

namespace covrl::jinja {
namespace {

void require_defined(Interpreter& interpreter, const Value& value) {
  if (value.is_undefined()) interpreter.fail("'" + value.undefined_name() + "' is undefined");
}

Value repeat(Interpreter& interpreter, const Value& sequence, int64_t times) {
  times = std::max<int64_t>(times, 0);
  const size_t size =
      sequence.is_string() ? sequence.as_string().size() : sequence.as_list().size();
  const size_t limit = Interpreter::kMaxUnits;
  if (size != 0 && static_cast<size_t>(times) > limit / size) interpreter.charge(limit);
  interpreter.charge(size * times);
  if (sequence.is_string()) {
    std::string text;
    for (int64_t i = 0; size != 0 && i < times; ++i) text += sequence.as_string();
    return interpreter.make_string(std::move(text));
  }
  std::vector<Value> items;
  for (int64_t i = 0; size != 0 && i < times; ++i) {
    items.insert(items.end(), sequence.as_list().begin(), sequence.as_list().end());
  }
  return interpreter.make_list(std::move(items));
}

int64_t floor_divide(int64_t left, int64_t right) {
  const int64_t quotient = left / right;
  return quotient - (left % right != 0 && (left < 0) != (right < 0) ? 1 : 0);
}

Value whole_arithmetic(Interpreter& interpreter, const std::string& op, int64_t left,
                       int64_t right) {
  if (op == "/" || op == "//" || op == "%") {
    if (right == 0) interpreter.fail("division by zero");
    if (op == "/") return Value::real(static_cast<double>(left) / static_cast<double>(right));
    if (right == -1 && op == "%") return Value::integer(0);
    if (right != -1) {
      const int64_t quotient = floor_divide(left, right);
      return Value::integer(op == "//" ? quotient : left - quotient * right);
    }
  }
  int64_t result = 0;
  const bool overflow = op == "+"   ? __builtin_add_overflow(left, right, &result)
                        : op == "-" ? __builtin_sub_overflow(left, right, &result)
                        : op == "*" ? __builtin_mul_overflow(left, right, &result)
                                    : __builtin_sub_overflow(int64_t{0}, left, &result);
  if (overflow) interpreter.fail("an integer is out of range");
  return Value::integer(result);
}

Value real_arithmetic(Interpreter& interpreter, const std::string& op, double left, double right) {
  if (op == "+") return Value::real(left + right);
  if (op == "-") return Value::real(left - right);
  if (op == "*") return Value::real(left * right);
  if (right == 0) interpreter.fail("division by zero");
  if (op == "/") return Value::real(left / right);
  double remainder = std::fmod(left, right);
  if (remainder != 0 && (remainder < 0) != (right < 0)) remainder += right;
  return Value::real(op == "%" ? remainder : std::round((left - remainder) / right));
}

}  // namespace

Value arithmetic(Interpreter& interpreter, const std::string& op, const Value& left,
                 const Value& right) {
  interpreter.charge(left.cost() + right.cost());
  if (op == "~") return interpreter.make_string(left.str() + right.str());
  require_defined(interpreter, left);
  require_defined(interpreter, right);
  if (left.is_whole() && right.is_whole()) {
    return whole_arithmetic(interpreter, op, left.as_integer(), right.as_integer());
  }
  if (left.is_number() && right.is_number()) {
    return real_arithmetic(interpreter, op, left.as_real(), right.as_real());
  }
  if (op == "+" && left.is_string() && right.is_string()) {
    return interpreter.make_string(left.as_string() + right.as_string());
  }
  if (op == "+" && left.is_list() && right.is_list()) {
    std::vector<Value> items = left.as_list();
    items.insert(items.end(), right.as_list().begin(), right.as_list().end());
    return interpreter.make_list(std::move(items));
  }
  const auto is_sequence = [](const Value& value) { return value.is_string() || value.is_list(); };
  if (op == "*" && is_sequence(left) && right.is_whole()) {
    return repeat(interpreter, left, right.as_integer());
  }
  if (op == "*" && left.is_whole() && is_sequence(right)) {
    return repeat(interpreter, right, left.as_integer());
  }
  if (op == "%" && left.is_string()) interpreter.unsupported("formatting with %");
  interpreter.fail(concat("'", op, "' cannot combine values of type ", left.type_name(), " and ",
                          right.type_name()));
}

bool comparison(Interpreter& interpreter, const std::string& op, const Value& left,
                const Value& right) {
  interpreter.charge(left.cost() + right.cost());
  if (op == "==") return equal(left, right);
  if (op == "!=") return !equal(left, right);
  require_defined(interpreter, left);
  require_defined(interpreter, right);
  const std::optional<int> order = compare(left, right);
  if (!order) {
    interpreter.fail(concat("'", op, "' cannot order values of type ", left.type_name(), " and ",
                            right.type_name()));
  }
  if (op == "<") return *order < 0;
  if (op == "<=") return *order <= 0;
  return op == ">" ? *order > 0 : *order >= 0;
}

bool contains(Interpreter& interpreter, const Value& container, const Value& item) {
  interpreter.charge(container.cost() + item.cost());
  if (container.is_undefined()) return false;
  if (container.is_string() && item.is_string()) {
    return container.as_string().find(item.as_string()) != std::string::npos;
  }
  if (container.is_list()) {
    return std::any_of(container.as_list().begin(), container.as_list().end(),
                       [&](const Value& candidate) { return equal(candidate, item); });
  }
  if (container.is_dict()) return container.find(item) != nullptr;
  interpreter.fail(concat("'in' cannot look for a value of type ", item.type_name(),
                          " in one of type ", container.type_name()));
}

Value get_attribute(Interpreter& interpreter, const Value& subject, const std::string& name) {
  if (subject.is_undefined()) {
    interpreter.fail(
        concat("'", subject.undefined_name(), "' is undefined, so it has no '", name, "'"));
  }
  if (has_method(subject, name))
    interpreter.unsupported(concat("the method '", name, "' without a call"));
  if (subject.is_object()) {
    if (std::optional<Value> value = subject.as_object().attribute(name)) return *value;
  }
  if (subject.is_dict()) {
    interpreter.charge(subject.as_dict().size());
    if (const Value* value = subject.find(Value::string(name))) return *value;
  }
  return Value::undefined(subject.type_name() + "." + name);
}

Value get_item(Interpreter& interpreter, const Value& subject, const Value& key) {
  if (subject.is_undefined()) {
    interpreter.fail(concat("'", subject.undefined_name(), "' is undefined, so it has no items"));
  }
  const Value missing = Value::undefined(concat(subject.type_name(), "[", key.repr(), "]"));
  if (subject.is_dict()) {
    interpreter.charge(subject.as_dict().size() * key.cost());
    const Value* value = subject.find(key);
    return value == nullptr ? missing : *value;
  }
  if ((subject.is_list() || subject.is_string()) && key.is_whole()) {
    if (subject.is_string()) interpreter.charge(subject.as_string().size());
    const std::vector<Value> letters =
        subject.is_string() ? characters(subject.as_string()) : std::vector<Value>();
    const std::vector<Value>& items = subject.is_string() ? letters : subject.as_list();
    const auto size = static_cast<int64_t>(items.size());
    const int64_t index = key.as_integer() + (key.as_integer() < 0 ? size : 0);
    return index >= 0 && index < size ? items[index] : missing;
  }
  if (subject.is_object() && key.is_string()) {
    return subject.as_object().attribute(key.as_string()).value_or(missing);
  }
  return missing;
}

std::vector<Value> characters(const std::string& text) {
  std::vector<Value> result;
  for (size_t position = 0; position < text.size();) {
    const size_t start = position;
    next_code_point(text, position);
    result.push_back(Value::string(text.substr(start, position - start)));
  }
  return result;
}

std::vector<Value> iterate(Interpreter& interpreter, const Value& subject) {
  interpreter.charge(1);
  if (subject.is_undefined()) return {};
  if (subject.is_list()) {
    interpreter.charge(subject.as_list().size());
    return subject.as_list();
  }
  if (subject.is_string()) {
    interpreter.charge(subject.as_string().size());
    return characters(subject.as_string());
  }
  if (!subject.is_dict()) {
    interpreter.fail(concat("a value of type ", subject.type_name(), " cannot be iterated"));
  }
  std::vector<Value> keys;
  for (const auto& [key, value] : subject.as_dict()) keys.push_back(key);
  return keys;
}

std::vector<size_t> slice_indices(Interpreter& interpreter, int64_t size, const Value& start,
                                  const Value& stop, const Value& step) {
  for (const Value* bound : {&start, &stop, &step}) {
    if (!bound->is_none() && !bound->is_whole()) {
      interpreter.fail(concat("a slice bound is of type ", bound->type_name(), ", not int"));
    }
  }
  const int64_t stride =
      step.is_none() ? 1 : std::clamp<int64_t>(step.as_integer(), -size - 1, size + 1);
  if (stride == 0) interpreter.fail("a slice has step 0");
  const int64_t lowest = stride > 0 ? 0 : -1, highest = stride > 0 ? size : size - 1;
  const auto clamp = [&](const Value& bound, int64_t absent) {
    if (bound.is_none()) return absent;
    const int64_t index = bound.as_integer();
    return index < 0 ? std::max(index + size, lowest) : std::min(index, highest);
  };
  const int64_t first = clamp(start, stride > 0 ? 0 : size - 1);
  const int64_t end = clamp(stop, stride > 0 ? size : -1);
  std::vector<size_t> indices;
  for (int64_t i = first; stride > 0 ? i < end : i > end; i += stride) indices.push_back(i);
  return indices;
}

}  // namespace covrl::jinja
