// Text between tags, with Jinja's rules of whitespace: `-` strips, trim_blocks takes the line end
// behind a block or comment, lstrip_blocks the indentation before one, and `+` keeps both.
#include <algorithm>

#include "core/error.h"
#include "policy/chat_template_lexer.h"

namespace covrl::jinja {
namespace {

// One kind of line end, and none at the very end.
std::string normalize_lines(std::string_view source) {
  std::string result;
  for (size_t i = 0; i < source.size(); ++i) {
    if (source[i] == '\r') {
      if (i + 1 == source.size() || source[i + 1] != '\n') result += '\n';
    } else {
      result += source[i];
    }
  }
  if (result.ends_with('\n')) result.pop_back();
  return result;
}

class Splitter {
 public:
  Splitter(std::string_view source, const std::string& where)
      : source_(normalize_lines(source)), where_(where) {}

  std::vector<Chunk> split() {
    while (position_ < source_.size()) {
      const size_t open = find_open(position_);
      if (open == std::string::npos) {
        add_text(view(position_, source_.size()));
        break;
      }
      read_tag(open);
    }
    return std::move(chunks_);
  }

 private:
  std::string_view view(size_t start, size_t end) const {
    return std::string_view(source_).substr(start, end - start);
  }

  size_t find_open(size_t from) const {
    for (size_t brace = source_.find('{', from); brace != std::string::npos;
         brace = source_.find('{', brace + 1)) {
      const char kind = brace + 1 < source_.size() ? source_[brace + 1] : '\0';
      if (kind == '{' || kind == '%' || kind == '#') return brace;
    }
    return std::string::npos;
  }

  void count_lines(size_t start, size_t end) {
    line_ += static_cast<int>(std::count(source_.begin() + start, source_.begin() + end, '\n'));
  }

  // The text up to the tag at `open`, stripped as the tag asks; `sign`: what follows its delimiter.
  std::string_view text_before(size_t open, char sign, bool is_variable) const {
    std::string_view text = view(position_, open);
    if (sign == '-') return strip_right(text);
    if (sign == '+' || is_variable) return text;
    const size_t line_start = text.rfind('\n') + 1;
    if (line_start == 0 && !at_line_start_) return text;
    const std::string_view indent = text.substr(line_start);
    return strip_left(indent).empty() ? text.substr(0, line_start) : text;
  }

  void add_text(std::string_view text) {
    if (text.empty()) return;
    Chunk chunk;
    chunk.text = std::string(text);
    chunk.line = line_;
    chunks_.push_back(std::move(chunk));
  }

  char sign_at(size_t position) const {
    const char sign = position < source_.size() ? source_[position] : '\0';
    return sign == '-' || sign == '+' ? sign : '\0';
  }

  void read_tag(size_t open) {
    const char kind = source_[open + 1], sign = sign_at(open + 2);
    const std::string_view before = text_before(open, sign, kind == '{');
    add_text(before);
    count_lines(position_, open);
    const size_t inside = open + 2 + (sign != '\0' ? 1 : 0);
    if (kind == '#') {
      skip_comment(inside);
    } else if (kind != '%' || !read_raw(inside)) {
      read_tokens(inside, kind == '{');
    }
  }

  void read_tokens(size_t inside, bool is_variable) {
    Chunk chunk;
    chunk.kind = is_variable ? Chunk::Kind::kExpression : Chunk::Kind::kStatement;
    chunk.line = line_;
    TagLexer lexer(source_, inside, line_, where_);
    chunk.tokens = lexer.read(is_variable ? "}}" : "%}");
    chunks_.push_back(std::move(chunk));
    line_ = lexer.line();
    close(lexer.position(), lexer.strips_after(), !is_variable && !lexer.keeps_after());
  }

  // Moves behind a tag that ends at `end`, and behind the whitespace that it takes.
  void close(size_t end, bool strips, bool trims_line_end) {
    position_ = end;
    if (strips) {
      position_ = source_.size() - strip_left(view(end, source_.size())).size();
    } else if (trims_line_end && position_ < source_.size() && source_[position_] == '\n') {
      ++position_;
    }
    at_line_start_ = position_ > end && source_[position_ - 1] == '\n';
    count_lines(end, position_);
  }

  void skip_comment(size_t inside) {
    const size_t end = source_.find("#}", inside);
    if (end == std::string::npos) {
      throw_usage(where_, ":", line_, ": chat template: a comment is not closed by #}");
    }
    const char sign = end > inside ? sign_at(end - 1) : '\0';
    count_lines(inside, end);
    close(end + 2, sign == '-', sign == '\0');
  }

  // Matches `name` and the closing delimiter from `position` on; npos when something else stands
  // there.
  size_t match_word_tag(size_t position, std::string_view name, char& end_sign) const {
    std::string_view rest = strip_left(view(position, source_.size()));
    if (!rest.starts_with(name)) return std::string::npos;
    rest = strip_left(rest.substr(name.size()));
    end_sign = !rest.empty() && (rest[0] == '-' || rest[0] == '+') ? rest[0] : '\0';
    if (!rest.substr(end_sign != '\0' ? 1 : 0).starts_with("%}")) return std::string::npos;
    return source_.size() - rest.size() + 2 + (end_sign != '\0' ? 1 : 0);
  }

  bool read_raw(size_t inside) {
    char sign = '\0';
    const size_t start = match_word_tag(inside, "raw", sign);
    if (start == std::string::npos || sign == '+') return false;
    const int first_line = line_;
    count_lines(inside, start);
    close(start, sign == '-', false);
    for (size_t open = source_.find("{%", position_); open != std::string::npos;
         open = source_.find("{%", open + 1)) {
      const char open_sign = sign_at(open + 2);
      const size_t end = match_word_tag(open + 2 + (open_sign != '\0' ? 1 : 0), "endraw", sign);
      if (end == std::string::npos) continue;
      add_text(text_before(open, open_sign, false));
      count_lines(position_, end);
      close(end, sign == '-', sign == '\0');
      return true;
    }
    throw_usage(where_, ":", first_line, ": chat template: raw is not closed by {% endraw %}");
  }

  std::string source_;
  const std::string& where_;
  std::vector<Chunk> chunks_;
  size_t position_ = 0;
  int line_ = 1;
  bool at_line_start_ = true;
};

}  // namespace

std::vector<Chunk> split_template(std::string_view source, const std::string& where) {
  return Splitter(source, where).split();
}

}  // namespace covrl::jinja
