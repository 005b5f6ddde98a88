#include "policy/chat_template_value.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <stdexcept>

#include "policy/unicode.h"

namespace covrl::jinja {
namespace {

template <class Container, class Visit>
int depth_of(const Container& items, Visit visit) {
  int deepest = 0;
  for (const auto& item : items) deepest = std::max(deepest, visit(item));
  if (deepest >= Value::kMaxDepth) throw std::length_error("a list or dict nested this deep");
  return deepest + 1;
}

int item_depth(const Value& value) {
  if (value.is_object()) {
    throw std::invalid_argument("a " + value.type_name() + " in a list or dict");
  }
  return value.depth();
}

std::string hex_escape(char32_t code_point) {
  const int digits = code_point < 0x100 ? 2 : code_point < 0x10000 ? 4 : 8;
  std::string result = digits == 2 ? "\\x" : digits == 4 ? "\\u" : "\\U";
  for (int shift = 4 * (digits - 1); shift >= 0; shift -= 4) {
    result += "0123456789abcdef"[(code_point >> shift) & 15];
  }
  return result;
}

std::string repr_string(const std::string& text) {
  const bool has_single = text.find('\'') != std::string::npos;
  const char quote = has_single && text.find('"') == std::string::npos ? '"' : '\'';
  std::string result(1, quote);
  for (size_t position = 0; position < text.size();) {
    const char32_t c = next_code_point(text, position);
    if (c == static_cast<char32_t>(quote) || c == U'\\') {
      result += '\\';
      result += static_cast<char>(c);
    } else if (c == U'\n') {
      result += "\\n";
    } else if (c == U'\r') {
      result += "\\r";
    } else if (c == U'\t') {
      result += "\\t";
    } else if (!is_printable(c)) {
      result += hex_escape(c);
    } else {
      append_code_point(result, c);
    }
  }
  return result += quote;
}

// repr(float): the shortest digits that read back, positional from 1e-4 to 1e16.
std::string repr_real(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value > 0 ? "inf" : "-inf";
  const double size = std::fabs(value);
  const bool positional = size == 0 || (size >= 1e-4 && size < 1e16);
  char buffer[64];
  const auto end =
      std::to_chars(buffer, buffer + sizeof buffer, value,
                    positional ? std::chars_format::fixed : std::chars_format::scientific);
  std::string result(buffer, end.ptr);
  if (positional && result.find('.') == std::string::npos) result += ".0";
  return result;
}

}  // namespace

const Value* Arguments::find(size_t index, const std::string& name) const {
  if (index < positional.size()) return &positional[index];
  for (const auto& [key, value] : named) {
    if (!name.empty() && key == name) return &value;
  }
  return nullptr;
}

std::optional<Value> Object::attribute(const std::string&) const { return std::nullopt; }
bool Object::set_attribute(const std::string&, const Value&) { return false; }
std::optional<Value> Object::call(Interpreter&, const Arguments&) { return std::nullopt; }

Value Value::undefined(std::string name) {
  Value result;
  result.data_ = Undefined{std::move(name)};
  return result;
}
Value Value::none() {
  Value result;
  result.data_ = None{};
  return result;
}
Value Value::boolean(bool value) {
  Value result;
  result.data_ = value;
  return result;
}
Value Value::integer(int64_t value) {
  Value result;
  result.data_ = value;
  return result;
}
Value Value::real(double value) {
  Value result;
  result.data_ = value;
  return result;
}
Value Value::string(std::string value) {
  Value result;
  result.data_ = std::make_shared<const std::string>(std::move(value));
  return result;
}
Value Value::list(std::vector<Value> items) {
  const int depth = depth_of(items, item_depth);
  Value result;
  result.data_ = std::make_shared<const Container<std::vector<Value>>>(
      Container<std::vector<Value>>{std::move(items), depth});
  return result;
}
Value Value::dict(Entries entries) {
  const int depth = depth_of(entries, [](const auto& entry) {
    return std::max(item_depth(entry.first), item_depth(entry.second));
  });
  Value result;
  result.data_ =
      std::make_shared<const Container<Entries>>(Container<Entries>{std::move(entries), depth});
  return result;
}
Value Value::object(ObjectPointer object) {
  Value result;
  result.data_ = std::move(object);
  return result;
}

int64_t Value::as_integer() const {
  return is_boolean() ? std::get<bool>(data_) : std::get<int64_t>(data_);
}

double Value::as_real() const {
  return is_real() ? std::get<double>(data_) : static_cast<double>(as_integer());
}

bool Value::truthy() const {
  if (is_undefined() || is_none()) return false;
  if (is_number()) return as_real() != 0;
  if (is_string()) return !as_string().empty();
  if (is_list()) return !as_list().empty();
  if (is_dict()) return !as_dict().empty();
  return true;
}

std::string Value::type_name() const {
  static const char* const kNames[] = {"Undefined", "NoneType", "bool", "int",
                                       "float",     "str",      "list", "dict"};
  return is_object() ? as_object().type_name() : kNames[data_.index()];
}

std::string Value::str() const {
  if (is_undefined()) return "";
  return is_string() ? as_string() : repr();
}

std::string Value::repr() const {
  if (is_undefined()) return "Undefined";
  if (is_none()) return "None";
  if (is_boolean()) return as_integer() != 0 ? "True" : "False";
  if (is_integer()) return std::to_string(as_integer());
  if (is_real()) return repr_real(as_real());
  if (is_string()) return repr_string(as_string());
  if (is_object()) return "<" + type_name() + ">";
  std::string result, separator;
  if (is_list()) {
    for (const Value& item : as_list()) {
      result += separator + item.repr();
      separator = ", ";
    }
    return "[" + result + "]";
  }
  for (const auto& [key, value] : as_dict()) {
    result += separator + key.repr() + ": " + value.repr();
    separator = ", ";
  }
  return "{" + result + "}";
}

const Value* Value::find(const Value& key) const {
  for (const auto& [candidate, value] : as_dict()) {
    if (equal(candidate, key)) return &value;
  }
  return nullptr;
}

size_t Value::cost() const {
  size_t total = 1;
  if (is_string()) total += as_string().size() / kBytesPerUnit;
  if (is_list()) {
    for (const Value& item : as_list()) total += item.cost();
  }
  if (is_dict()) {
    for (const auto& [key, value] : as_dict()) total += key.cost() + value.cost();
  }
  return total;
}

int Value::depth() const {
  if (is_list()) return std::get<ListPointer>(data_)->depth;
  return is_dict() ? std::get<DictPointer>(data_)->depth : 0;
}

bool equal(const Value& left, const Value& right) {
  if (left.is_number() && right.is_number()) {
    if (left.is_whole() && right.is_whole()) return left.as_integer() == right.as_integer();
    return left.as_real() == right.as_real();
  }
  if (left.is_string() && right.is_string()) return left.as_string() == right.as_string();
  if (left.is_list() && right.is_list()) {
    return std::equal(left.as_list().begin(), left.as_list().end(), right.as_list().begin(),
                      right.as_list().end(), equal);
  }
  if (left.is_dict() && right.is_dict()) {
    return left.as_dict().size() == right.as_dict().size() &&
           std::all_of(left.as_dict().begin(), left.as_dict().end(), [&](const auto& entry) {
             const Value* other = right.find(entry.first);
             return other != nullptr && equal(entry.second, *other);
           });
  }
  if (left.is_object() && right.is_object()) return &left.as_object() == &right.as_object();
  return (left.is_none() && right.is_none()) || (left.is_undefined() && right.is_undefined());
}

std::optional<int> compare(const Value& left, const Value& right) {
  if (left.is_number() && right.is_number()) {
    if (left.is_whole() && right.is_whole()) {
      const int64_t a = left.as_integer(), b = right.as_integer();
      return (a > b) - (a < b);
    }
    const double a = left.as_real(), b = right.as_real();
    return (a > b) - (a < b);
  }
  if (left.is_string() && right.is_string()) return left.as_string().compare(right.as_string());
  if (!left.is_list() || !right.is_list()) return std::nullopt;
  const std::vector<Value>&a = left.as_list(), &b = right.as_list();
  for (size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    if (!equal(a[i], b[i])) return compare(a[i], b[i]);
  }
  return (a.size() > b.size()) - (a.size() < b.size());
}

}  // namespace covrl::jinja
