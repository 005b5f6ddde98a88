// The values of chat templates that are not data: functions, namespaces, the `loop` of a for.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "policy/chat_template_interpreter.h"

namespace covrl::jinja {

class Function : public Object {
 public:
  using Body = std::function<Value(Interpreter&, const Arguments&)>;
  explicit Function(Body body) : body_(std::move(body)) {}
  std::string type_name() const override { return "function"; }
  bool callable() const override { return true; }
  std::optional<Value> call(Interpreter& interpreter, const Arguments& arguments) override {
    return body_(interpreter, arguments);
  }

 private:
  Body body_;
};

class Namespace : public Object {
 public:
  std::string type_name() const override { return "Namespace"; }
  std::optional<Value> attribute(const std::string& name) const override;
  bool set_attribute(const std::string& name, const Value& value) override;

 private:
  std::unordered_map<std::string, Value> attributes_;
};

// One step of a loop.
class Loop : public Object {
 public:
  Loop(std::shared_ptr<const std::vector<Value>> items, size_t index)
      : items_(std::move(items)), index_(index) {}
  std::string type_name() const override { return "LoopContext"; }
  std::optional<Value> attribute(const std::string& name) const override;

 private:
  std::shared_ptr<const std::vector<Value>> items_;
  size_t index_;
};

}  // namespace covrl::jinja
