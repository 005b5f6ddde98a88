// Filters of chat templates: {{ value | name(arguments) }}, as Jinja 3.1 and transformers define
// them.
#include <algorithm>
#include <charconv>
#include <cmath>
#include <stdexcept>
#include <unordered_map>

#include "core/error.h"
#include "policy/chat_template_interpreter.h"
#include "policy/unicode.h"

namespace covrl::jinja {
namespace {

// Past every positional argument: by name only.
constexpr size_t kNoPosition = static_cast<size_t>(-1);

// One use of a filter.
struct Use {
  Interpreter& interpreter;
  const std::string& name;
  const Value& subject;
  const Arguments& arguments;

  const Value* find(size_t index, const char* argument) const {
    return arguments.find(index, argument);
  }
  Value call(const char* method) const {
    return call_method(interpreter, interpreter.make_string(subject.str()), method, arguments);
  }
  [[noreturn]] void reject(const std::string& wanted) const {
    interpreter.fail(concat("filter '", name, "' takes ", wanted, ", not a value of type ",
                            subject.type_name()));
  }
};

Value filter_length(const Use& use) {
  const Value& subject = use.subject;
  if (subject.is_undefined()) return Value::integer(0);
  if (subject.is_string())
    return Value::integer(static_cast<int64_t>(count_code_points(subject.as_string())));
  if (subject.is_list()) return Value::integer(static_cast<int64_t>(subject.as_list().size()));
  if (subject.is_dict()) return Value::integer(static_cast<int64_t>(subject.as_dict().size()));
  use.reject("a string, list or dict");
}

Value filter_tojson(const Use& use) {
  JsonStyle style;
  if (const Value* value = use.find(0, "ensure_ascii")) style.ensure_ascii = value->truthy();
  if (const Value* value = use.find(1, "indent"); value != nullptr && !value->is_none()) {
    if (!value->is_whole() || value->as_integer() < 0 || value->as_integer() > 100) {
      use.interpreter.unsupported("tojson with indent " + value->repr());
    }
    style.indent = static_cast<int>(value->as_integer());
  }
  if (const Value* value = use.find(2, "separators"); value != nullptr && !value->is_none()) {
    use.interpreter.unsupported("tojson with separators");
  }
  if (const Value* value = use.find(3, "sort_keys")) style.sort_keys = value->truthy();
  try {
    return use.interpreter.make_string(to_json(use.subject, style));
  } catch (const std::invalid_argument& error) {
    use.interpreter.fail(std::string("tojson: ") + error.what());
  }
}

Value filter_default(const Use& use) {
  const Value* fallback = use.find(0, "default_value");
  const Value* boolean = use.find(1, "boolean");
  const bool by_truth = boolean != nullptr && boolean->truthy();
  if (!use.subject.is_undefined() && !(by_truth && !use.subject.truthy())) return use.subject;
  return fallback == nullptr ? Value::string("") : *fallback;
}

// The attribute a.b.0 of an item; `fallback` (may be null) stands for what is undefined on the way.
Value dotted_attribute(const Use& use, Value item, const Value& path, const Value* fallback) {
  std::string rest = path.str();
  for (bool more = true; more;) {
    const size_t dot = rest.find('.');
    const std::string part = rest.substr(0, dot);
    more = dot != std::string::npos;
    if (more) rest = rest.substr(dot + 1);
    int64_t index = 0;
    const auto parsed = std::from_chars(part.data(), part.data() + part.size(), index);
    const bool is_index =
        !part.empty() && parsed.ec == std::errc() && parsed.ptr == part.data() + part.size();
    item = get_item(use.interpreter, item, is_index ? Value::integer(index) : Value::string(part));
    if (item.is_undefined() && fallback != nullptr) item = *fallback;
  }
  return item;
}

Value filter_join(const Use& use) {
  const Value* separator = use.find(0, "d");
  const Value* attribute = use.find(1, "attribute");
  std::string text;
  bool first = true;
  for (const Value& item : iterate(use.interpreter, use.subject)) {
    if (!first && separator != nullptr) text += separator->str();
    first = false;
    text +=
        attribute == nullptr ? item.str() : dotted_attribute(use, item, *attribute, nullptr).str();
    use.interpreter.charge(1 + item.cost() + (separator == nullptr ? 0 : separator->cost()));
  }
  return use.interpreter.make_string(std::move(text));
}

Value filter_end(const Use& use) {
  const std::vector<Value> items = iterate(use.interpreter, use.subject);
  if (items.empty()) return Value::undefined("the " + use.name + " item of an empty sequence");
  return use.name == "first" ? items.front() : items.back();
}

Value filter_reverse(const Use& use) {
  std::vector<Value> items = iterate(use.interpreter, use.subject);
  std::reverse(items.begin(), items.end());
  if (!use.subject.is_string()) return use.interpreter.make_list(std::move(items));
  std::string text;
  for (const Value& letter : items) text += letter.as_string();
  return use.interpreter.make_string(std::move(text));
}

Value filter_int(const Use& use) {
  const Value* fallback = use.find(0, "default");
  if (use.find(1, "base") != nullptr) use.interpreter.unsupported("filter 'int' with a base");
  const Value otherwise = fallback == nullptr ? Value::integer(0) : *fallback;
  if (use.subject.is_whole()) return Value::integer(use.subject.as_integer());
  double real = NAN;
  if (use.subject.is_real()) real = use.subject.as_real();
  if (use.subject.is_string()) {
    const std::string text = use.call("strip").as_string();
    const char *start = text.data() + (text.starts_with('+') ? 1 : 0),
               *end = text.data() + text.size();
    int64_t whole = 0;
    if (const auto parsed = std::from_chars(start, end, whole);
        parsed.ec == std::errc() && parsed.ptr == end) {
      return Value::integer(whole);
    }
    if (std::from_chars(start, end, real).ptr != end) real = NAN;
  }
  return std::fabs(real) < 9e18 ? Value::integer(static_cast<int64_t>(real)) : otherwise;
}

Value filter_float(const Use& use) {
  const Value* fallback = use.find(0, "default");
  if (use.subject.is_number()) return Value::real(use.subject.as_real());
  if (use.subject.is_string()) {
    const std::string text = use.call("strip").as_string();
    const char *start = text.data() + (text.starts_with('+') ? 1 : 0),
               *end = text.data() + text.size();
    double real = 0;
    if (const auto parsed = std::from_chars(start, end, real);
        parsed.ec == std::errc() && parsed.ptr == end) {
      return Value::real(real);
    }
  }
  return fallback == nullptr ? Value::real(0) : *fallback;
}

Value filter_abs(const Use& use) {
  if (!use.subject.is_number()) use.reject("a number");
  const bool negative = use.subject.as_real() < 0;
  return arithmetic(use.interpreter, negative ? "-" : "+", Value::integer(0), use.subject);
}

Value filter_items(const Use& use) {
  if (use.subject.is_undefined()) return use.interpreter.make_list({});
  if (!use.subject.is_dict()) use.reject("a dict");
  return call_method(use.interpreter, use.subject, "items", {});
}

// The arguments behind the first `count` ones.
Arguments behind(const Arguments& arguments, size_t count) {
  Arguments result = arguments;
  result.positional.erase(result.positional.begin(), result.positional.begin() + count);
  return result;
}

Value filter_map(const Use& use) {
  const Value* attribute = use.arguments.find(kNoPosition, "attribute");
  const Value* fallback = use.arguments.find(kNoPosition, "default");
  if (attribute == nullptr && use.arguments.positional.empty()) {
    use.interpreter.fail("filter 'map' takes attribute= or the name of a filter");
  }
  std::vector<Value> items;
  for (const Value& item : iterate(use.interpreter, use.subject)) {
    items.push_back(attribute != nullptr
                        ? dotted_attribute(use, item, *attribute, fallback)
                        : apply_filter(use.interpreter, use.arguments.positional[0].str(), item,
                                       behind(use.arguments, 1)));
  }
  return use.interpreter.make_list(std::move(items));
}

// select, reject, selectattr, rejectattr
Value filter_select(const Use& use) {
  const bool by_attribute = use.name.ends_with("attr"), wanted = use.name.starts_with("select");
  const size_t test_at = by_attribute ? 1 : 0;
  const std::vector<Value>& given = use.arguments.positional;
  if (by_attribute && given.empty())
    use.interpreter.fail("filter '" + use.name + "' takes an attribute");
  std::vector<Value> items;
  for (const Value& item : iterate(use.interpreter, use.subject)) {
    const Value tested = by_attribute ? dotted_attribute(use, item, given[0], nullptr) : item;
    const bool holds = given.size() > test_at
                           ? apply_test(use.interpreter, given[test_at].str(), tested,
                                        behind(use.arguments, test_at + 1))
                           : tested.truthy();
    if (holds == wanted) items.push_back(item);
  }
  return use.interpreter.make_list(std::move(items));
}

Value filter_indent(const Use& use) {
  const Value *width = use.find(0, "width"), *first = use.find(1, "first"),
              *blank = use.find(2, "blank");
  if (width != nullptr && !width->is_string() &&
      !(width->is_whole() && width->as_integer() < 1000)) {
    use.interpreter.fail("filter 'indent' takes a width below 1000 or a string");
  }
  const std::string margin = width == nullptr ? "    "
                             : width->is_string()
                                 ? width->as_string()
                                 : std::string(std::max<int64_t>(width->as_integer(), 0), ' ');
  const bool indent_first = first != nullptr && first->truthy(),
             indent_blank = blank != nullptr && blank->truthy();
  std::string text = use.subject.str(), result;
  size_t line_number = 0;
  for (size_t start = 0; start <= text.size(); ++line_number) {
    const size_t end = std::min(text.find('\n', start), text.size());
    const bool indented = line_number == 0 ? indent_first : indent_blank || end > start;
    if (line_number > 0) result += '\n';
    if (indented) result += margin;
    result.append(text, start, end - start);
    use.interpreter.charge(1 + margin.size() / kBytesPerUnit);
    start = end + 1;
  }
  return use.interpreter.make_string(std::move(result));
}

Value filter_replace(const Use& use) { return use.call("replace"); }
Value filter_trim(const Use& use) { return use.call("strip"); }
Value filter_case(const Use& use) { return use.call(use.name.c_str()); }
Value filter_list(const Use& use) {
  return use.interpreter.make_list(iterate(use.interpreter, use.subject));
}
Value filter_string(const Use& use) { return use.interpreter.make_string(use.subject.str()); }

using FilterFunction = Value (*)(const Use&);
const std::unordered_map<std::string, FilterFunction>& filters() {
  static const std::unordered_map<std::string, FilterFunction> table{
      {"length", filter_length},   {"count", filter_length},      {"tojson", filter_tojson},
      {"default", filter_default}, {"d", filter_default},         {"join", filter_join},
      {"first", filter_end},       {"last", filter_end},          {"reverse", filter_reverse},
      {"int", filter_int},         {"float", filter_float},       {"abs", filter_abs},
      {"items", filter_items},     {"map", filter_map},           {"select", filter_select},
      {"reject", filter_select},   {"selectattr", filter_select}, {"rejectattr", filter_select},
      {"indent", filter_indent},   {"replace", filter_replace},   {"trim", filter_trim},
      {"upper", filter_case},      {"lower", filter_case},        {"capitalize", filter_case},
      {"list", filter_list},       {"string", filter_string},     {"safe", filter_string},
  };
  return table;
}

}  // namespace

Value apply_filter(Interpreter& interpreter, const std::string& name, const Value& subject,
                   const Arguments& arguments) {
  interpreter.charge(subject.cost());
  const auto found = filters().find(name);
  if (found == filters().end()) interpreter.unsupported("filter '" + name + "'");
  return found->second(Use{interpreter, name, subject, arguments});
}

}  // namespace covrl::jinja
