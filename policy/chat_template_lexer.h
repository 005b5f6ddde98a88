// Splits a chat template (Jinja syntax, trim_blocks and lstrip_blocks on, as transformers sets
// them) into text and tags.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace covrl::jinja {

struct Token {
  enum class Kind { kName, kString, kInteger, kReal, kOperator, kEnd };
  Kind kind = Kind::kEnd;
  std::string text;  // name, decoded string, operator
  int64_t integer = 0;
  double real = 0;
  int line = 0;
};

// A piece of the template: literal text, {{ tokens }} or {% tokens %}. Comments and raw blocks are
// resolved.
struct Chunk {
  enum class Kind { kText, kExpression, kStatement };
  Kind kind = Kind::kText;
  std::string text;
  std::vector<Token> tokens;  // ends with kEnd
  int line = 0;
};

// `where`: the file, for errors. Throws Error(kUsage) as where:line for what is not closed or not
// Jinja.
std::vector<Chunk> split_template(std::string_view source, const std::string& where);

// The tokens of one tag. Moves `position` behind the closing delimiter, `}}` or `%}`, which `end`
// names without its sign.
class TagLexer {
 public:
  TagLexer(std::string_view source, size_t position, int line, const std::string& where);
  std::vector<Token> read(std::string_view end);
  size_t position() const { return position_; }
  int line() const { return line_; }
  bool strips_after() const { return strips_after_; }  // closed by -}} or -%}
  bool keeps_after() const { return keeps_after_; }    // closed by +%}

 private:
  bool at_end(std::string_view end);
  Token next();
  Token read_string();
  Token read_number();
  Token read_operator();
  void read_escape(std::string& text);
  void read_code_point(std::string& text, int digits, int base);
  [[noreturn]] void fail(const std::string& message) const;

  std::string_view source_;
  size_t position_;
  int line_;
  const std::string& where_;
  int brackets_ = 0;
  bool strips_after_ = false, keeps_after_ = false;
};

// Python's whitespace of one code point: that of Unicode and the separators U+001C to U+001F.
bool is_python_space(char32_t code_point);
std::string_view strip_left(std::string_view text);
std::string_view strip_right(std::string_view text);

}  // namespace covrl::jinja
