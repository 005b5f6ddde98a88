// What a chat template runs in: variables, output, and limits of work.
//
// Work is counted in units (about one node, or kBytesPerUnit bytes handled). A template that
// exceeds kMaxUnits, nests evaluation deeper than kMaxDepth, or fails in any other way throws
// Error(kUsage) as `where:line: chat template: ...`.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "policy/chat_template_value.h"

namespace covrl::jinja {

class Expression;

// Variables of a block; a name not found is looked for in the enclosing one.
struct Scope {
  std::shared_ptr<Scope> parent;
  std::unordered_map<std::string, Value> variables;
};

class Interpreter {
 public:
  static constexpr size_t kMaxUnits = 5'000'000;
  static constexpr int kMaxDepth = 2000;

  explicit Interpreter(std::string where);

  Value evaluate(const Expression& expression);
  std::string render(const std::function<void()>& body);  // what `body` writes
  void write(const Value& value);
  void write(const std::string& text);

  Value lookup(const std::string& name) const;  // undefined when absent
  void assign(const std::string& name, Value value);
  const std::shared_ptr<Scope>& scope() const { return scope_; }
  // Runs `body` in a new scope below `parent`.
  void in_scope(std::shared_ptr<Scope> parent, const std::function<void()>& body);

  void charge(size_t units);
  // Value::list and Value::dict with errors as below.
  Value make_list(std::vector<Value> items);
  Value make_dict(Value::Entries entries);
  Value make_string(std::string text);
  void set_line(int line) { line_ = line; }
  int line() const { return line_; }

  [[noreturn]] void fail(const std::string& message) const;
  // For what is outside the subset: names the remedy.
  [[noreturn]] void unsupported(const std::string& construct) const;

 private:
  std::string where_;
  int line_ = 1;
  size_t units_ = 0;
  int depth_ = 0;
  std::string* output_ = nullptr;
  std::shared_ptr<Scope> scope_;
};

// Built-in functions, filters, tests and methods, by name. Each throws through `interpreter` for an
// unknown name or wrong arguments.
void define_globals(Interpreter& interpreter);
Value apply_filter(Interpreter& interpreter, const std::string& name, const Value& subject,
                   const Arguments& arguments);
bool apply_test(Interpreter& interpreter, const std::string& name, const Value& subject,
                const Arguments& arguments);
Value call_method(Interpreter& interpreter, const Value& subject, const std::string& name,
                  const Arguments& arguments);
bool has_method(const Value& subject, const std::string& name);

// Operations shared by operators, filters and tests.
Value get_attribute(Interpreter& interpreter, const Value& subject,
                    const std::string& name);                                      // subject.name
Value get_item(Interpreter& interpreter, const Value& subject, const Value& key);  // subject[key]
bool contains(Interpreter& interpreter, const Value& container,
              const Value& item);                                            // item in container
std::vector<Value> iterate(Interpreter& interpreter, const Value& subject);  // what `for` walks
std::vector<Value> characters(const std::string& text);
// The bounds of subject[start:stop:step] on a sequence of `size`, as indices in order.
std::vector<size_t> slice_indices(Interpreter& interpreter, int64_t size, const Value& start,
                                  const Value& stop, const Value& step);
// a op b for + - * / // % ~
Value arithmetic(Interpreter& interpreter, const std::string& op, const Value& left,
                 const Value& right);
// a op b for == != < <= > >=
bool comparison(Interpreter& interpreter, const std::string& op, const Value& left,
                const Value& right);

}  // namespace covrl::jinja
