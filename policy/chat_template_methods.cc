// Methods of strings, lists and dicts in chat templates, as Python's.
#include <algorithm>
#include <limits>
#include <unordered_map>

#include "core/error.h"
#include "policy/chat_template_interpreter.h"
#include "policy/chat_template_lexer.h"
#include "policy/unicode.h"

namespace covrl::jinja {
namespace {

// One call of a method.
struct Use {
  Interpreter& interpreter;
  const std::string& name;
  const Value& subject;
  const Arguments& arguments;

  const std::string& text() const { return subject.as_string(); }
  [[noreturn]] void fail(const std::string& message) const {
    interpreter.fail(name + "() " + message);
  }

  // A string argument; empty when absent or none.
  const std::string* string(size_t index, const char* argument) const {
    const Value* value = arguments.find(index, argument);
    if (value == nullptr || value->is_none()) return nullptr;
    if (!value->is_string())
      fail(concat("takes a string, not a value of type ", value->type_name()));
    return &value->as_string();
  }
  const std::string& required(size_t index, const char* argument) const {
    const std::string* value = string(index, argument);
    if (value == nullptr) fail(concat("needs the argument '", argument, "'"));
    return *value;
  }
  int64_t integer(size_t index, const char* argument, int64_t absent) const {
    const Value* value = arguments.find(index, argument);
    if (value == nullptr || value->is_none()) return absent;
    if (!value->is_whole())
      fail(concat("takes an integer, not a value of type ", value->type_name()));
    return value->as_integer();
  }
  Value make(std::string_view result) const { return interpreter.make_string(std::string(result)); }
};

Value method_strip(const Use& use) {
  std::string_view text = use.text();
  const std::string* wanted = use.string(0, "chars");
  if (wanted == nullptr) {
    if (use.name != "rstrip") text = strip_left(text);
    return use.make(use.name == "lstrip" ? text : strip_right(text));
  }
  const auto is_wanted = [&](std::string_view letter) {
    return wanted->find(letter) != std::string::npos;
  };
  size_t start = 0, end = text.size();
  for (size_t position = 0; use.name != "rstrip" && position < end; start = position) {
    next_code_point(text, position);
    if (!is_wanted(text.substr(start, position - start))) break;
  }
  for (size_t position = end; use.name != "lstrip" && position > start; end = position) {
    previous_code_point(text, position);
    if (!is_wanted(text.substr(position, end - position))) break;
  }
  return use.make(text.substr(start, end - start));
}

std::vector<Value> split_by(const Use& use, const std::string& separator, int64_t limit) {
  if (separator.empty()) use.fail("has an empty separator");
  std::vector<Value> parts;
  std::string_view rest = use.text();
  const bool from_right = use.name == "rsplit";
  while (limit-- != 0) {
    const size_t at = from_right ? rest.rfind(separator) : rest.find(separator);
    if (at == std::string_view::npos) break;
    const std::string_view left = rest.substr(0, at), right = rest.substr(at + separator.size());
    parts.push_back(use.make(from_right ? right : left));
    rest = from_right ? left : right;
  }
  parts.push_back(use.make(rest));
  if (from_right) std::reverse(parts.begin(), parts.end());
  return parts;
}

std::vector<Value> split_by_space(const Use& use, int64_t limit) {
  std::vector<Value> parts;
  for (std::string_view rest = strip_left(use.text()); !rest.empty();) {
    size_t end = 0;
    if (limit-- == 0) {
      parts.push_back(use.make(strip_right(rest)));
      break;
    }
    for (size_t position = 0;
         position < rest.size() && !is_python_space(next_code_point(rest, position));) {
      end = position;
    }
    parts.push_back(use.make(rest.substr(0, end)));
    rest = strip_left(rest.substr(end));
  }
  return parts;
}

Value method_split(const Use& use) {
  const std::string* separator = use.string(0, "sep");
  const int64_t limit = use.integer(1, "maxsplit", -1);
  if (separator != nullptr) return use.interpreter.make_list(split_by(use, *separator, limit));
  if (use.name == "rsplit" && limit >= 0)
    use.interpreter.unsupported("rsplit() at spaces with a limit");
  return use.interpreter.make_list(split_by_space(use, limit));
}

Value method_splitlines(const Use& use) {
  if (use.arguments.find(0, "keepends") != nullptr)
    use.interpreter.unsupported("splitlines() with keepends");
  const std::string& text = use.text();
  std::vector<Value> lines;
  size_t start = 0;
  for (size_t position = 0; position < text.size();) {
    const size_t at = position;
    const char32_t c = next_code_point(text, position);
    const bool ends = (c >= 0xA && c <= 0xD) || (c >= 0x1C && c <= 0x1E) || c == 0x85 ||
                      c == 0x2028 || c == 0x2029;
    if (!ends) continue;
    if (c == U'\r' && position < text.size() && text[position] == '\n') ++position;
    lines.push_back(use.make(std::string_view(text).substr(start, at - start)));
    start = position;
  }
  if (start < text.size()) lines.push_back(use.make(text.substr(start)));
  return use.interpreter.make_list(std::move(lines));
}

Value method_affix(const Use& use) {
  const Value* affix = use.arguments.find(0, "");
  if (affix == nullptr || use.arguments.positional.size() > 1)
    use.interpreter.unsupported(use.name + "() with bounds");
  const std::vector<Value> candidates =
      affix->is_list() ? affix->as_list() : std::vector<Value>{*affix};
  for (const Value& candidate : candidates) {
    if (!candidate.is_string())
      use.fail("takes a string, not a value of type " + candidate.type_name());
    const std::string& wanted = candidate.as_string();
    if (use.name == "startswith" ? use.text().starts_with(wanted) : use.text().ends_with(wanted)) {
      return Value::boolean(true);
    }
  }
  return Value::boolean(false);
}

Value method_remove(const Use& use) {
  const std::string &affix = use.required(0, ""), &text = use.text();
  if (use.name == "removeprefix")
    return use.make(text.starts_with(affix) ? text.substr(affix.size()) : text);
  return use.make(text.ends_with(affix) ? text.substr(0, text.size() - affix.size()) : text);
}

Value method_replace(const Use& use) {
  const std::string &text = use.text(), &old_text = use.required(0, "old"),
                    &new_text = use.required(1, "new");
  int64_t left = use.integer(2, "count", -1);
  std::string result;
  size_t position = 0;
  while (left-- != 0) {
    const size_t at = old_text.empty() ? position : text.find(old_text, position);
    if (at == std::string::npos) break;
    use.interpreter.charge(1 + new_text.size() / kBytesPerUnit);
    result.append(text, position, at - position).append(new_text);
    position = at + old_text.size();
    if (!old_text.empty()) continue;
    // An empty text stands before every character and at the end.
    if (at == text.size()) return use.make(result);
    next_code_point(text, position);
    result.append(text, at, position - at);
  }
  return use.make(result.append(text, position));
}

std::string capitalize(const std::string& text) {
  size_t position = 0;
  if (text.empty()) return text;
  const char32_t first = next_code_point(text, position);
  return to_title(first) + to_lower(text.substr(position));
}

// A letter behind a letter is lower case, others are title case.
std::string title(const std::string& text) {
  std::string result, letter;
  bool in_word = false;
  for (size_t position = 0; position < text.size();) {
    const char32_t c = next_code_point(text, position);
    letter.clear();
    append_code_point(letter, c);
    const bool cased = to_lower(letter) != letter || to_upper(letter) != letter;
    result += !cased ? letter : in_word ? to_lower(letter) : to_title(c);
    in_word = cased;
  }
  return result;
}

Value method_case(const Use& use) {
  if (use.name == "upper") return use.make(to_upper(use.text()));
  if (use.name == "lower") return use.make(to_lower(use.text()));
  return use.make(use.name == "title" ? title(use.text()) : capitalize(use.text()));
}

Value method_find(const Use& use) {
  const std::string& wanted = use.required(0, "");
  if (use.arguments.positional.size() > 1) use.interpreter.unsupported(use.name + "() with bounds");
  const size_t at = use.name == "rfind" ? use.text().rfind(wanted) : use.text().find(wanted);
  if (at == std::string::npos) return Value::integer(-1);
  return Value::integer(
      static_cast<int64_t>(count_code_points(std::string_view(use.text()).substr(0, at))));
}

Value method_count(const Use& use) {
  const std::string& wanted = use.required(0, "");
  if (wanted.empty())
    return Value::integer(static_cast<int64_t>(count_code_points(use.text())) + 1);
  int64_t count = 0;
  for (size_t at = use.text().find(wanted); at != std::string::npos;
       at = use.text().find(wanted, at + wanted.size())) {
    ++count;
  }
  return Value::integer(count);
}

Value method_join(const Use& use) {
  if (use.arguments.positional.size() != 1) use.fail("takes one list");
  std::string result;
  bool first = true;
  for (const Value& item : iterate(use.interpreter, use.arguments.positional[0])) {
    if (!item.is_string()) use.fail("takes strings, not a value of type " + item.type_name());
    use.interpreter.charge(item.cost() + use.subject.cost());
    if (!first) result += use.text();
    result += item.as_string();
    first = false;
  }
  return use.make(result);
}

Value method_is_digit(const Use& use) {
  bool all = !use.text().empty();
  for (size_t position = 0; position < use.text().size();) {
    const char32_t c = next_code_point(use.text(), position);
    if (c >= 0x80) use.interpreter.unsupported("isdigit() of text other than ASCII");
    all = all && is_number(c);
  }
  return Value::boolean(all);
}

Value method_dict(const Use& use) {
  std::vector<Value> items;
  for (const auto& [key, value] : use.subject.as_dict()) {
    if (use.name == "items") items.push_back(use.interpreter.make_list({key, value}));
    if (use.name == "keys") items.push_back(key);
    if (use.name == "values") items.push_back(value);
  }
  return use.interpreter.make_list(std::move(items));
}

Value method_get(const Use& use) {
  const Value *key = use.arguments.find(0, ""), *fallback = use.arguments.find(1, "");
  if (key == nullptr) use.fail("takes a key");
  const Value* value = use.subject.find(*key);
  if (value != nullptr) return *value;
  return fallback == nullptr ? Value::none() : *fallback;
}

using Method = Value (*)(const Use&);
const std::unordered_map<std::string, Method>& string_methods() {
  static const std::unordered_map<std::string, Method> table{
      {"strip", method_strip},         {"lstrip", method_strip},
      {"rstrip", method_strip},        {"split", method_split},
      {"rsplit", method_split},        {"splitlines", method_splitlines},
      {"startswith", method_affix},    {"endswith", method_affix},
      {"removeprefix", method_remove}, {"removesuffix", method_remove},
      {"replace", method_replace},     {"upper", method_case},
      {"lower", method_case},          {"title", method_case},
      {"capitalize", method_case},     {"find", method_find},
      {"rfind", method_find},          {"count", method_count},
      {"join", method_join},           {"isdigit", method_is_digit},
  };
  return table;
}

const std::unordered_map<std::string, Method>& dict_methods() {
  static const std::unordered_map<std::string, Method> table{
      {"items", method_dict}, {"keys", method_dict}, {"values", method_dict}, {"get", method_get}};
  return table;
}

const std::unordered_map<std::string, Method>* methods_of(const Value& subject) {
  if (subject.is_string()) return &string_methods();
  return subject.is_dict() ? &dict_methods() : nullptr;
}

}  // namespace

bool has_method(const Value& subject, const std::string& name) {
  const auto* methods = methods_of(subject);
  return methods != nullptr && methods->contains(name);
}

Value call_method(Interpreter& interpreter, const Value& subject, const std::string& name,
                  const Arguments& arguments) {
  interpreter.charge(subject.cost());
  for (const Value& argument : arguments.positional) interpreter.charge(argument.cost());
  return methods_of(subject)->at(name)(Use{interpreter, name, subject, arguments});
}

}  // namespace covrl::jinja
