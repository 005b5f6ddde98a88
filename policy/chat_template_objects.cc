#include "policy/chat_template_objects.h"

#include <ctime>

#include "core/error.h"

namespace covrl::jinja {
namespace {

Value function(Function::Body body) {
  return Value::object(std::make_shared<Function>(std::move(body)));
}

Value make_namespace(Interpreter& interpreter, const Arguments& arguments) {
  auto result = std::make_shared<Namespace>();
  for (const Value& source : arguments.positional) {
    if (!source.is_dict()) interpreter.fail("namespace() takes a dict or named arguments");
    for (const auto& [key, value] : source.as_dict()) result->set_attribute(key.str(), value);
  }
  for (const auto& [name, value] : arguments.named) {
    if (value.is_object()) interpreter.unsupported("a " + value.type_name() + " in a namespace");
    result->set_attribute(name, value);
  }
  return Value::object(std::move(result));
}

Value make_dict(Interpreter& interpreter, const Arguments& arguments) {
  if (!arguments.positional.empty()) interpreter.unsupported("dict() of a value");
  Value::Entries entries;
  for (const auto& [name, value] : arguments.named)
    entries.emplace_back(Value::string(name), value);
  return interpreter.make_dict(std::move(entries));
}

Value make_range(Interpreter& interpreter, const Arguments& arguments) {
  const size_t count = arguments.positional.size();
  if (count < 1 || count > 3 || !arguments.named.empty()) {
    interpreter.fail("range() takes one to three integers");
  }
  for (const Value& bound : arguments.positional) {
    if (!bound.is_whole()) interpreter.fail("range() takes integers, not a " + bound.type_name());
  }
  const auto at = [&](size_t i) { return arguments.positional[i].as_integer(); };
  const int64_t start = count > 1 ? at(0) : 0, stop = at(count > 1 ? 1 : 0);
  const int64_t step = count > 2 ? at(2) : 1;
  if (step == 0) interpreter.fail("range() has step 0");
  std::vector<Value> items;
  for (int64_t i = start; step > 0 ? i < stop : i > stop;) {
    interpreter.charge(1);
    items.push_back(Value::integer(i));
    if (__builtin_add_overflow(i, step, &i)) break;
  }
  return interpreter.make_list(std::move(items));
}

Value raise_exception(Interpreter& interpreter, const Arguments& arguments) {
  const Value* message = arguments.find(0, "message");
  interpreter.fail(message == nullptr ? "raise_exception" : message->str());
}

Value strftime_now(Interpreter& interpreter, const Arguments& arguments) {
  const Value* format = arguments.find(0, "format");
  if (format == nullptr || !format->is_string()) interpreter.fail("strftime_now() takes a format");
  const std::time_t now = std::time(nullptr);
  std::tm local{};
  localtime_r(&now, &local);
  // The marker tells an empty result from a buffer that is too small.
  const std::string marked = format->as_string() + ".";
  char buffer[1024];
  const size_t length = std::strftime(buffer, sizeof buffer, marked.c_str(), &local);
  if (length == 0) interpreter.fail("strftime_now(): the date is too long");
  return interpreter.make_string(std::string(buffer, length - 1));
}

}  // namespace

std::optional<Value> Namespace::attribute(const std::string& name) const {
  const auto found = attributes_.find(name);
  if (found == attributes_.end()) return std::nullopt;
  return found->second;
}

bool Namespace::set_attribute(const std::string& name, const Value& value) {
  attributes_[name] = value;
  return true;
}

std::optional<Value> Loop::attribute(const std::string& name) const {
  const auto size = static_cast<int64_t>(items_->size());
  const auto index = static_cast<int64_t>(index_);
  if (name == "index0") return Value::integer(index);
  if (name == "index") return Value::integer(index + 1);
  if (name == "revindex0") return Value::integer(size - index - 1);
  if (name == "revindex") return Value::integer(size - index);
  if (name == "first") return Value::boolean(index == 0);
  if (name == "last") return Value::boolean(index + 1 == size);
  if (name == "length") return Value::integer(size);
  // Only a recursive for, which is not supported, gets deeper.
  if (name == "depth0") return Value::integer(0);
  if (name == "depth") return Value::integer(1);
  if (name == "previtem" && index > 0) return (*items_)[index - 1];
  if (name == "nextitem" && index + 1 < size) return (*items_)[index + 1];
  if (name == "cycle") {
    return function([index](Interpreter& interpreter, const Arguments& arguments) {
      if (arguments.positional.empty()) interpreter.fail("loop.cycle() takes at least one value");
      return arguments.positional[index % arguments.positional.size()];
    });
  }
  if (name == "changed") {
    return function([](Interpreter& interpreter, const Arguments&) -> Value {
      interpreter.unsupported("loop.changed()");
    });
  }
  return std::nullopt;
}

void define_globals(Interpreter& interpreter) {
  interpreter.assign("namespace", function(make_namespace));
  interpreter.assign("dict", function(make_dict));
  interpreter.assign("range", function(make_range));
  interpreter.assign("raise_exception", function(raise_exception));
  interpreter.assign("strftime_now", function(strftime_now));
}

}  // namespace covrl::jinja
