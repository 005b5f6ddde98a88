#include "policy/chat_template_interpreter.h"

#include <stdexcept>

#include "core/error.h"
#include "policy/chat_template_expression.h"

namespace covrl::jinja {
namespace {

// Restores a variable when its scope ends, whatever way.
template <class T>
class Restore {
 public:
  Restore(T& variable, T value) : variable_(variable), old_(std::move(variable)) {
    variable_ = std::move(value);
  }
  ~Restore() { variable_ = std::move(old_); }

 private:
  T& variable_;
  T old_;
};

}  // namespace

Interpreter::Interpreter(std::string where)
    : where_(std::move(where)), scope_(std::make_shared<Scope>()) {}

void Interpreter::fail(const std::string& message) const {
  throw_usage(where_, ":", line_, ": chat template: ", message);
}

void Interpreter::unsupported(const std::string& construct) const {
  fail(construct +
       " is not supported. Name a built-in family (chat_template: qwen2.5) or the path of a .jinja "
       "file instead");
}

void Interpreter::charge(size_t units) {
  units_ += units;
  if (units_ > kMaxUnits) fail("too much work: the template seems not to end");
}

Value Interpreter::evaluate(const Expression& expression) {
  charge(1);
  line_ = expression.line();
  if (depth_ > kMaxDepth) fail("evaluation nests too deep");
  const Restore<int> deeper(depth_, depth_ + 1);
  return expression.evaluate(*this);
}

std::string Interpreter::render(const std::function<void()>& body) {
  std::string text;
  const Restore<std::string*> redirect(output_, &text);
  body();
  return text;
}

void Interpreter::write(const Value& value) {
  charge(value.cost());
  write(value.str());
}

void Interpreter::write(const std::string& text) {
  charge(1 + text.size() / kBytesPerUnit);
  *output_ += text;
}

Value Interpreter::lookup(const std::string& name) const {
  for (const Scope* scope = scope_.get(); scope != nullptr; scope = scope->parent.get()) {
    const auto found = scope->variables.find(name);
    if (found != scope->variables.end()) return found->second;
  }
  return Value::undefined(name);
}

void Interpreter::assign(const std::string& name, Value value) {
  scope_->variables[name] = std::move(value);
}

void Interpreter::in_scope(std::shared_ptr<Scope> parent, const std::function<void()>& body) {
  if (depth_ > kMaxDepth) fail("blocks nest too deep");
  const Restore<int> deeper(depth_, depth_ + 1);
  auto inner = std::make_shared<Scope>();
  inner->parent = std::move(parent);
  const Restore<std::shared_ptr<Scope>> enter(scope_, std::move(inner));
  body();
}

Value Interpreter::make_list(std::vector<Value> items) {
  charge(1 + items.size());
  try {
    return Value::list(std::move(items));
  } catch (const std::logic_error& error) {
    unsupported(error.what());
  }
}

Value Interpreter::make_dict(Value::Entries entries) {
  charge(1 + entries.size());
  try {
    return Value::dict(std::move(entries));
  } catch (const std::logic_error& error) {
    unsupported(error.what());
  }
}

Value Interpreter::make_string(std::string text) {
  charge(1 + text.size() / kBytesPerUnit);
  return Value::string(std::move(text));
}

}  // namespace covrl::jinja
