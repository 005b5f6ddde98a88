// json.dumps of chat-template values.
#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "policy/chat_template_value.h"
#include "policy/unicode.h"

namespace covrl::jinja {
namespace {

void append_unicode_escape(std::string& out, char32_t unit) {
  out += "\\u";
  for (int shift = 12; shift >= 0; shift -= 4) out += "0123456789abcdef"[(unit >> shift) & 15];
}

void append_escaped(std::string& out, char32_t c, bool ensure_ascii) {
  static const std::string kLetters = "\b\f\n\r\t\"\\", kEscapes = "bfnrt\"\\";
  const size_t letter = c < 0x80 ? kLetters.find(static_cast<char>(c)) : std::string::npos;
  if (letter != std::string::npos) {
    out += '\\';
    out += kEscapes[letter];
  } else if (c < 0x20 || (ensure_ascii && c >= 0x7F && c < 0x10000)) {
    append_unicode_escape(out, c);
  } else if (ensure_ascii && c >= 0x10000) {
    append_unicode_escape(out, 0xD800 + ((c - 0x10000) >> 10));
    append_unicode_escape(out, 0xDC00 + ((c - 0x10000) & 0x3FF));
  } else {
    append_code_point(out, c);
  }
}

class Writer {
 public:
  explicit Writer(const JsonStyle& style) : style_(style) {}
  std::string take() { return std::move(out_); }

  void write(const Value& value, int level) {
    if (value.is_list()) {
      write_list(value.as_list(), level);
    } else if (value.is_dict()) {
      write_dict(value.as_dict(), level);
    } else if (value.is_string()) {
      write_string(value.as_string());
    } else {
      out_ += scalar(value);
    }
  }

 private:
  static std::string scalar(const Value& value) {
    if (value.is_none()) return "null";
    if (value.is_boolean()) return value.as_integer() != 0 ? "true" : "false";
    if (value.is_real() && std::isnan(value.as_real())) return "NaN";
    if (value.is_real() && std::isinf(value.as_real())) {
      return value.as_real() > 0 ? "Infinity" : "-Infinity";
    }
    if (value.is_number()) return value.repr();
    throw std::invalid_argument("a value of type " + value.type_name() + " has no JSON form");
  }

  void write_string(const std::string& text) {
    out_ += '"';
    for (size_t position = 0; position < text.size();) {
      append_escaped(out_, next_code_point(text, position), style_.ensure_ascii);
    }
    out_ += '"';
  }

  void new_line(int level) {
    if (style_.indent < 0) return;
    out_ += '\n';
    out_.append(static_cast<size_t>(style_.indent) * level, ' ');
  }

  void separate(bool first, int level) {
    if (!first) out_ += style_.indent < 0 ? ", " : ",";
    new_line(level);
  }

  void write_list(const std::vector<Value>& items, int level) {
    out_ += '[';
    for (size_t i = 0; i < items.size(); ++i) {
      separate(i == 0, level + 1);
      write(items[i], level + 1);
    }
    if (!items.empty()) new_line(level);
    out_ += ']';
  }

  void write_dict(Value::Entries entries, int level) {
    if (style_.sort_keys) {
      std::stable_sort(entries.begin(), entries.end(), [](const auto& left, const auto& right) {
        return compare(left.first, right.first).value_or(0) < 0;
      });
    }
    out_ += '{';
    for (size_t i = 0; i < entries.size(); ++i) {
      separate(i == 0, level + 1);
      const Value& key = entries[i].first;
      write_string(key.is_string() ? key.as_string() : scalar(key));
      out_ += ": ";
      write(entries[i].second, level + 1);
    }
    if (!entries.empty()) new_line(level);
    out_ += '}';
  }

  JsonStyle style_;
  std::string out_;
};

}  // namespace

std::string to_json(const Value& value, const JsonStyle& style) {
  Writer writer(style);
  writer.write(value, 0);
  return writer.take();
}

}  // namespace covrl::jinja
