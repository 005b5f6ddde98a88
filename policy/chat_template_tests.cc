// Tests of chat templates: {{ value is name(arguments) }}, as Jinja 3.1 defines them.
#include <unordered_map>

#include "core/error.h"
#include "policy/chat_template_interpreter.h"
#include "policy/unicode.h"

namespace covrl::jinja {
namespace {

using Predicate = bool (*)(const Value&);

const std::unordered_map<std::string, Predicate>& predicates() {
  static const std::unordered_map<std::string, Predicate> table{
      {"defined", [](const Value& v) { return !v.is_undefined(); }},
      {"undefined", [](const Value& v) { return v.is_undefined(); }},
      {"none", [](const Value& v) { return v.is_none(); }},
      {"string", [](const Value& v) { return v.is_string(); }},
      {"mapping", [](const Value& v) { return v.is_dict(); }},
      {"number", [](const Value& v) { return v.is_number(); }},
      {"integer", [](const Value& v) { return v.is_integer(); }},
      {"float", [](const Value& v) { return v.is_real(); }},
      {"boolean", [](const Value& v) { return v.is_boolean(); }},
      {"true", [](const Value& v) { return v.is_boolean() && v.truthy(); }},
      {"false", [](const Value& v) { return v.is_boolean() && !v.truthy(); }},
      {"callable",
       [](const Value& v) {
         return v.is_undefined() || (v.is_object() && v.as_object().callable());
       }},
      // Undefined walks like an empty sequence.
      {"iterable",
       [](const Value& v) {
         return v.is_undefined() || v.is_string() || v.is_list() || v.is_dict();
       }},
      {"sequence",
       [](const Value& v) {
         return v.is_undefined() || v.is_string() || v.is_list() || v.is_dict();
       }},
  };
  return table;
}

const std::unordered_map<std::string, std::string>& comparisons() {
  static const std::unordered_map<std::string, std::string> table{
      {"equalto", "=="}, {"eq", "=="}, {"==", "=="},         {"ne", "!="}, {"!=", "!="},
      {"lt", "<"},       {"<", "<"},   {"lessthan", "<"},    {"le", "<="}, {"<=", "<="},
      {"gt", ">"},       {">", ">"},   {"greaterthan", ">"}, {"ge", ">="}, {">=", ">="},
  };
  return table;
}

const Value& argument(Interpreter& interpreter, const std::string& name,
                      const Arguments& arguments) {
  if (arguments.positional.size() != 1 || !arguments.named.empty()) {
    interpreter.fail("test '" + name + "' takes one argument");
  }
  return arguments.positional[0];
}

// str.islower and str.isupper: cased letters, all of that case.
bool is_cased(const std::string& text, bool upper) {
  return (upper ? to_upper(text) : to_lower(text)) == text &&
         (upper ? to_lower(text) : to_upper(text)) != text;
}

int64_t remainder(Interpreter& interpreter, const Value& subject, const Value& divisor) {
  const Value result = arithmetic(interpreter, "%", subject, divisor);
  return result.is_whole() ? result.as_integer() : result.as_real() != 0;
}

}  // namespace

bool apply_test(Interpreter& interpreter, const std::string& name, const Value& subject,
                const Arguments& arguments) {
  if (const auto found = predicates().find(name); found != predicates().end()) {
    if (!arguments.positional.empty()) interpreter.fail("test '" + name + "' takes no argument");
    return found->second(subject);
  }
  if (const auto found = comparisons().find(name); found != comparisons().end()) {
    return comparison(interpreter, found->second, subject, argument(interpreter, name, arguments));
  }
  if (name == "in") return contains(interpreter, argument(interpreter, name, arguments), subject);
  if (name == "sameas") {
    const Value& other = argument(interpreter, name, arguments);
    return subject.type_name() == other.type_name() && equal(subject, other);
  }
  if (name == "divisibleby")
    return remainder(interpreter, subject, argument(interpreter, name, arguments)) == 0;
  if (name == "even") return remainder(interpreter, subject, Value::integer(2)) == 0;
  if (name == "odd") return remainder(interpreter, subject, Value::integer(2)) == 1;
  if (name == "lower" || name == "upper") {
    interpreter.charge(subject.cost());
    return is_cased(subject.str(), name == "upper");
  }
  interpreter.unsupported("test '" + name + "'");
}

}  // namespace covrl::jinja
