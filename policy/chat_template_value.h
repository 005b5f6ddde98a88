// Values of the chat-template language (a subset of Jinja): what Python values they stand for and
// how those print and compare.
//
// Values are immutable, but for namespaces, and cheap to copy. Tuples are lists. A list or dict
// holds data only, no namespace, macro or loop, and nests at most kMaxDepth deep: so values form no
// cycles.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace covrl::jinja {

// Bytes handled that count as one unit of work.
constexpr size_t kBytesPerUnit = 64;

class Value;
class Interpreter;

struct Undefined {
  std::string name;  // what was looked up, for messages
};
struct None {};

struct Arguments {
  std::vector<Value> positional;
  std::vector<std::pair<std::string, Value>> named;
  // The argument at `index` or called `name`, null when absent. An empty name: by position only.
  const Value* find(size_t index, const std::string& name) const;
};

// What is neither data nor undefined: namespace, loop, macro, function.
class Object {
 public:
  virtual ~Object() = default;
  virtual std::string type_name() const = 0;
  virtual std::optional<Value> attribute(const std::string& name) const;
  // False when attributes cannot be set.
  virtual bool set_attribute(const std::string& name, const Value& value);
  // Empty when it cannot be called.
  virtual std::optional<Value> call(Interpreter& interpreter, const Arguments& arguments);
  virtual bool callable() const { return false; }
};

class Value {
 public:
  static constexpr int kMaxDepth = 100;
  using Entries = std::vector<std::pair<Value, Value>>;
  template <class T>
  struct Container {
    T items;
    int depth = 1;  // 1 + that of the deepest item
  };
  using StringPointer = std::shared_ptr<const std::string>;
  using ListPointer = std::shared_ptr<const Container<std::vector<Value>>>;
  using DictPointer = std::shared_ptr<const Container<Entries>>;
  using ObjectPointer = std::shared_ptr<Object>;

  Value() : data_(Undefined{}) {}
  static Value undefined(std::string name);
  static Value none();
  static Value boolean(bool value);
  static Value integer(int64_t value);
  static Value real(double value);
  static Value string(std::string value);
  // Throws std::length_error past kMaxDepth, std::invalid_argument when an item is an Object.
  static Value list(std::vector<Value> items);
  static Value dict(Entries entries);
  static Value object(ObjectPointer object);

  bool is_undefined() const { return std::holds_alternative<Undefined>(data_); }
  bool is_none() const { return std::holds_alternative<None>(data_); }
  bool is_boolean() const { return std::holds_alternative<bool>(data_); }
  bool is_integer() const { return std::holds_alternative<int64_t>(data_); }
  bool is_real() const { return std::holds_alternative<double>(data_); }
  bool is_number() const { return is_boolean() || is_integer() || is_real(); }
  bool is_whole() const { return is_boolean() || is_integer(); }  // what Python takes as an int
  bool is_string() const { return std::holds_alternative<StringPointer>(data_); }
  bool is_list() const { return std::holds_alternative<ListPointer>(data_); }
  bool is_dict() const { return std::holds_alternative<DictPointer>(data_); }
  bool is_object() const { return std::holds_alternative<ObjectPointer>(data_); }

  // Preconditions: is_whole(), is_number(), is_string() and so on.
  int64_t as_integer() const;
  double as_real() const;
  const std::string& as_string() const { return *std::get<StringPointer>(data_); }
  const std::vector<Value>& as_list() const { return std::get<ListPointer>(data_)->items; }
  const Entries& as_dict() const { return std::get<DictPointer>(data_)->items; }
  Object& as_object() const { return *std::get<ObjectPointer>(data_); }
  const std::string& undefined_name() const { return std::get<Undefined>(data_).name; }

  bool truthy() const;
  std::string type_name() const;              // as Python names it
  std::string str() const;                    // str(value)
  std::string repr() const;                   // repr(value)
  const Value* find(const Value& key) const;  // entry of a dict, null when absent
  size_t cost() const;                        // units of work to walk it: see Interpreter::charge
  int depth() const;

 private:
  std::variant<Undefined, None, bool, int64_t, double, StringPointer, ListPointer, DictPointer,
               ObjectPointer>
      data_;
};

bool equal(const Value& left, const Value& right);  // ==
// < : negative, zero, positive; empty when Python cannot order them.
std::optional<int> compare(const Value& left, const Value& right);

// json.dumps(value, ensure_ascii=False); indent < 0: on one line. Throws std::invalid_argument for
// what has no JSON form.
struct JsonStyle {
  int indent = -1;
  bool ensure_ascii = false;
  bool sort_keys = false;
};
std::string to_json(const Value& value, const JsonStyle& style);

}  // namespace covrl::jinja
