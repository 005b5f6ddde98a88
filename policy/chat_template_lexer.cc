#include "policy/chat_template_lexer.h"

#include <charconv>

#include "core/error.h"
#include "policy/unicode.h"

namespace covrl::jinja {
namespace {

constexpr size_t kMaxTokensOfTag = 4000;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_name_start(char c) { return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_name_part(char c) { return is_name_start(c) || is_digit(c); }

constexpr std::string_view kOperators[] = {"**", "//", "==", "!=", ">=", "<=", "+", "-", "/",
                                           "*",  "%",  "~",  "[",  "]",  "(",  ")", "{", "}",
                                           ">",  "<",  "=",  ".",  ":",  "|",  ",", ";"};

}  // namespace

bool is_python_space(char32_t c) { return is_space(c) || (c >= 0x1C && c <= 0x1F); }

std::string_view strip_left(std::string_view text) {
  size_t start = 0;
  for (size_t position = 0; position < text.size();) {
    if (!is_python_space(next_code_point(text, position))) break;
    start = position;
  }
  return text.substr(start);
}

std::string_view strip_right(std::string_view text) {
  size_t end = text.size();
  for (size_t position = end; position > 0;) {
    if (!is_python_space(previous_code_point(text, position))) break;
    end = position;
  }
  return text.substr(0, end);
}

TagLexer::TagLexer(std::string_view source, size_t position, int line, const std::string& where)
    : source_(source), position_(position), line_(line), where_(where) {}

void TagLexer::fail(const std::string& message) const {
  throw_usage(where_, ":", line_, ": chat template: ", message);
}

bool TagLexer::at_end(std::string_view end) {
  if (brackets_ > 0) return false;
  const std::string_view rest = source_.substr(position_);
  const bool signed_end = !rest.empty() && (rest[0] == '-' || (rest[0] == '+' && end == "%}"));
  if (!rest.substr(signed_end ? 1 : 0).starts_with(end)) return false;
  strips_after_ = signed_end && rest[0] == '-';
  keeps_after_ = signed_end && rest[0] == '+';
  position_ += end.size() + (signed_end ? 1 : 0);
  return true;
}

std::vector<Token> TagLexer::read(std::string_view end) {
  const int first_line = line_;
  std::vector<Token> tokens;
  for (;;) {
    while (position_ < source_.size()) {
      size_t behind = position_;
      if (!is_python_space(next_code_point(source_, behind))) break;
      if (source_[position_] == '\n') ++line_;
      position_ = behind;
    }
    if (position_ == source_.size()) {
      throw_usage(where_, ":", first_line, ": chat template: a tag is not closed by ", end);
    }
    if (at_end(end)) break;
    if (tokens.size() == kMaxTokensOfTag) {
      fail(concat("a tag has more than ", kMaxTokensOfTag, " tokens"));
    }
    tokens.push_back(next());
  }
  Token last;
  last.line = line_;
  tokens.push_back(std::move(last));
  return tokens;
}

Token TagLexer::next() {
  const char first = source_[position_];
  if (is_digit(first)) return read_number();
  if (first == '\'' || first == '"') return read_string();
  if (!is_name_start(first)) return read_operator();
  Token token;
  token.kind = Token::Kind::kName;
  token.line = line_;
  while (position_ < source_.size() && is_name_part(source_[position_])) {
    token.text += source_[position_++];
  }
  return token;
}

Token TagLexer::read_operator() {
  for (const std::string_view candidate : kOperators) {
    if (!source_.substr(position_).starts_with(candidate)) continue;
    if (std::string_view("([{").find(candidate) != std::string_view::npos) ++brackets_;
    if (std::string_view(")]}").find(candidate) != std::string_view::npos && --brackets_ < 0) {
      fail(concat("unexpected '", candidate, "'"));
    }
    position_ += candidate.size();
    Token token;
    token.kind = Token::Kind::kOperator;
    token.text = std::string(candidate);
    token.line = line_;
    return token;
  }
  size_t end = position_;
  next_code_point(source_, end);
  fail(concat("unexpected '", source_.substr(position_, end - position_), "'"));
}

Token TagLexer::read_number() {
  const size_t start = position_;
  const auto skip_digits = [&](size_t from) {
    while (from < source_.size() && (is_digit(source_[from]) || source_[from] == '_')) ++from;
    return from;
  };
  const auto digit_at = [&](size_t at) { return at < source_.size() && is_digit(source_[at]); };
  size_t end = skip_digits(start);
  bool real = false;
  if (end < source_.size() && source_[end] == '.' && digit_at(end + 1)) {
    real = true;
    end = skip_digits(end + 1);
  }
  if (end < source_.size() && (source_[end] | 0x20) == 'e') {
    const size_t sign =
        end + 1 < source_.size() && (source_[end + 1] == '-' || source_[end + 1] == '+');
    if (digit_at(end + 1 + sign)) {
      real = true;
      end = skip_digits(end + 1 + sign);
    }
  }
  position_ = end;
  std::string digits(source_.substr(start, end - start));
  std::erase(digits, '_');
  Token token;
  token.kind = real ? Token::Kind::kReal : Token::Kind::kInteger;
  token.line = line_;
  const char *first = digits.data(), *last = first + digits.size();
  const auto parsed =
      real ? std::from_chars(first, last, token.real) : std::from_chars(first, last, token.integer);
  if (parsed.ec != std::errc() || parsed.ptr != last)
    fail(concat("the number ", digits, " is out of range"));
  return token;
}

Token TagLexer::read_string() {
  const char quote = source_[position_++];
  Token token;
  token.kind = Token::Kind::kString;
  token.line = line_;
  while (position_ < source_.size() && source_[position_] != quote) {
    if (source_[position_] == '\n') ++line_;
    if (source_[position_] == '\\' && position_ + 1 < source_.size()) {
      ++position_;
      read_escape(token.text);
    } else {
      token.text += source_[position_++];
    }
  }
  if (position_ == source_.size()) fail("a string is not closed");
  ++position_;
  return token;
}

// Escapes of Python strings; an unknown one stands for itself.
void TagLexer::read_escape(std::string& text) {
  static constexpr std::string_view kLetters = "abfnrtv\\'\"", kMeanings = "\a\b\f\n\r\t\v\\'\"";
  const char letter = source_[position_];
  if (const size_t known = kLetters.find(letter); known != std::string_view::npos) {
    text += kMeanings[known];
    ++position_;
  } else if (letter >= '0' && letter <= '7') {
    int digits = 1;
    while (digits < 3 && position_ + digits < source_.size() &&
           source_[position_ + digits] >= '0' && source_[position_ + digits] <= '7') {
      ++digits;
    }
    read_code_point(text, digits, 8);
  } else if (letter == 'x' || letter == 'u' || letter == 'U') {
    ++position_;
    read_code_point(text, letter == 'x' ? 2 : letter == 'u' ? 4 : 8, 16);
  } else if (letter == 'N') {
    fail("the string escape \\N{...} is not supported");
  } else if (letter == '\n') {
    ++line_;
    ++position_;
  } else {
    text += '\\';
  }
}

void TagLexer::read_code_point(std::string& text, int digits, int base) {
  const std::string_view written = source_.substr(position_, digits);
  uint32_t code_point = 0;
  const char* end = written.data() + written.size();
  const auto parsed = std::from_chars(written.data(), end, code_point, base);
  const bool valid = parsed.ec == std::errc() && parsed.ptr == end &&
                     written.size() == static_cast<size_t>(digits) && code_point < 0x110000 &&
                     (code_point < 0xD800 || code_point > 0xDFFF);
  if (!valid) fail(concat("the string escape of '", written, "' is not a character"));
  append_code_point(text, code_point);
  position_ += digits;
}

}  // namespace covrl::jinja
