#include "verifiers/normalise.h"

#include <algorithm>
#include <cctype>
#include <vector>

#include "verifiers/spelling.h"

namespace covrl {

namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return std::isalpha(static_cast<unsigned char>(c)) != 0; }
bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

// First pass: one walk over the text, rewriting signs and commands. Groups are the braces that are
// open.
class Rewriter {
 public:
  explicit Rewriter(std::string_view text) : text_(text) {}

  // False when the text holds control characters.
  bool run(std::string& result) {
    groups_.push_back({});
    while (at_ < text_.size()) {
      const char c = text_[at_];
      const auto code = static_cast<unsigned char>(c);
      if ((code < 0x20 && !is_space(c)) || code == 0x7f) return false;
      step(c);
    }
    result = std::move(out_);
    return true;
  }

 private:
  enum class GroupKind { kBrace, kText, kDropped };
  struct Group {
    GroupKind kind = GroupKind::kBrace;
    int num_wanted = 0;     // arguments that a \frac or \sqrt before still lacks
    size_t text_begin = 0;  // in out_, of a text group
  };

  std::string_view rest() const { return text_.substr(at_); }
  char last() const { return out_.empty() ? '\0' : out_.back(); }

  void step(char c) {
    if (static_cast<unsigned char>(c) >= 0x80) return unicode();
    if (is_space(c) || c == '~') return space(1);
    if (c == '$') return skip(1);
    if (c == '^' && degrees()) return;
    if (c == '{') return open_brace();
    if (c == '}') return close_brace();
    if (c == '\\') return command();
    plain(c);
  }

  void skip(size_t count) { at_ += count; }

  void plain(char c) {
    const bool argument = groups_.back().num_wanted > 0 && c != '[';
    if (groups_.back().num_wanted > 0 && c == '[') return optional_argument();
    ++at_;
    if (!argument) {
      out_ += c;
      return;
    }
    --groups_.back().num_wanted;
    out_ += {'{', c, '}'};
  }

  // \sqrt[3]{x}: kept as it is.
  void optional_argument() {
    const size_t close = rest().find(']');
    const size_t length = close == std::string_view::npos ? 1 : close + 1;
    if (close == std::string_view::npos) groups_.back().num_wanted = 0;
    out_ += rest().substr(0, length);
    at_ += length;
  }

  void unicode() {
    for (const Spelling& sign : kSigns)
      if (rest().starts_with(sign.written)) {
        at_ += sign.written.size();
        if (sign.meant == " ") return space(0);
        if (sign.meant == "\\sqrt ") {
          out_ += "\\sqrt";
          groups_.back().num_wanted = 1;
          return;
        }
        out_ += sign.meant;
        return;
      }
    groups_.back().num_wanted = 0;
    out_ += text_[at_++];
  }

  void space(size_t length) {
    at_ += length;
    if (groups_.back().num_wanted == 0 && last() != ' ') out_ += ' ';
  }

  // ^\circ in its spellings.
  bool degrees() {
    size_t at = at_ + 1;
    const auto pass = [&](std::string_view characters) {
      while (at < text_.size() && characters.find(text_[at]) != std::string_view::npos) ++at;
    };
    pass(" {");
    constexpr std::string_view kCircle = "\\circ";
    if (!text_.substr(at).starts_with(kCircle)) return false;
    const bool braced = text_.substr(at_, at - at_).find('{') != std::string_view::npos;
    at += kCircle.size();
    pass(" ");
    if (braced && at < text_.size() && text_[at] == '}') ++at;
    at_ = at;
    return true;
  }

  void open_brace() {
    if (rest().starts_with("{,}")) return skip(3);  // thousands
    open_group(GroupKind::kBrace);
    ++at_;
  }

  void open_group(GroupKind kind) {
    if (groups_.back().num_wanted > 0) --groups_.back().num_wanted;
    if (kind == GroupKind::kBrace) out_ += '{';
    groups_.push_back({kind, 0, out_.size()});
    if (kind == GroupKind::kText) out_ += kTextBegin;
  }

  void close_brace() {
    ++at_;
    if (groups_.size() == 1) {
      out_ += '}';
      return;
    }
    const Group group = groups_.back();
    groups_.pop_back();
    if (group.kind == GroupKind::kBrace) out_ += '}';
    if (group.kind == GroupKind::kText) close_text(group.text_begin);
  }

  void close_text(size_t begin) {
    std::string word = out_.substr(begin + 1);
    std::erase(word, ' ');
    if (word == "percent" || word == "pct") {
      out_.resize(begin);
      out_ += '%';
    } else {
      out_ += kTextEnd;
    }
  }

  void command() {
    size_t end = at_ + 1;
    while (end < text_.size() && is_letter(text_[end])) ++end;
    if (end == at_ + 1) return symbol();
    const std::string_view name = text_.substr(at_ + 1, end - at_ - 1);
    if (name == "begin" || name == "end") return environment(name, end);
    const auto rule = command_rules().find(name);
    if (rule == command_rules().end()) {
      at_ = end;
      const bool argument = groups_.back().num_wanted > 0;
      if (argument) --groups_.back().num_wanted;
      out_ += (argument ? "{\\" : "\\") + std::string(name) + (argument ? "}" : "");
      return;
    }
    at_ = end;
    apply(name, rule->second);
  }

  void apply(std::string_view name, const CommandRule& rule) {
    switch (rule.kind) {
      case Command::kReplace:
        if (rule.meant == " ") return space(0);
        out_ += rule.meant;
        return;
      case Command::kArguments:
        if (groups_.back().num_wanted > 0)
          groups_.back().num_wanted = 0;  // \frac\sqrt...: as written
        out_ += rule.meant;
        groups_.back().num_wanted = rule.num_arguments;
        return;
      case Command::kSize:
        if (rest().starts_with(".")) ++at_;
        return;
      case Command::kText:
      case Command::kFont:
        while (at_ < text_.size() && is_space(text_[at_])) ++at_;
        if (at_ == text_.size() || text_[at_] != '{') return;
        ++at_;
        open_group(rule.kind == Command::kText && is_words(name) ? GroupKind::kText
                                                                 : GroupKind::kDropped);
    }
  }

  // Words, as opposed to a number or a symbol in upright type.
  bool is_words(std::string_view name) const {
    size_t at = at_;
    while (at < text_.size() && (is_space(text_[at]) || text_[at] == '~')) ++at;
    if (at == text_.size() || !is_letter(text_[at])) return false;
    const bool constant = (text_[at] == 'i' || text_[at] == 'e' || text_[at] == 'd') &&
                          at + 1 < text_.size() && text_[at + 1] == '}';
    return !(name == "mathrm" && constant);
  }

  void environment(std::string_view name, size_t end) {
    out_ += "\\" + std::string(name);
    at_ = end;
    for (const std::string_view matrix : {"{bmatrix}", "{Bmatrix}"})
      if (rest().starts_with(matrix)) {
        out_ += "{pmatrix}";
        at_ += matrix.size();
      }
  }

  // A backslash and one character that is no letter.
  void symbol() {
    const char c = at_ + 1 < text_.size() ? text_[at_ + 1] : '\0';
    at_ = std::min(at_ + 2, text_.size());
    switch (c) {
      case '$':
      case '(':
      case ')':
      case '[':
      case ']':
      case '\0':
        return;
      case '%':
        out_ += '%';
        return;
      case '!':
        if (last() == ',' && is_digit(text_[std::min(at_, text_.size() - 1)])) out_.pop_back();
        return;
      case ',':
      case ';':
      case ':':
      case ' ':
      case '\n':
        return space(0);
      default:
        out_ += {'\\', c};
    }
  }

  std::string_view text_;
  size_t at_ = 0;
  std::string out_;
  std::vector<Group> groups_;
};

std::string_view trimmed(std::string_view text, std::string_view characters) {
  const size_t begin = text.find_first_not_of(characters);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(characters) - begin + 1);
}

// Length of the number with thousands separators at `at`, 0 when none: 1,234 or 1 234 567, not
// 12,34.
size_t grouped_number(std::string_view text, size_t at) {
  size_t end = at;
  while (end < text.size() && is_digit(text[end])) ++end;
  if (end == at || end - at > 3 || end == text.size()) return 0;
  const char separator = text[end];
  if (separator != ',' && separator != ' ') return 0;
  const size_t first = end;
  while (end + 3 < text.size() && text[end] == separator && is_digit(text[end + 1]) &&
         is_digit(text[end + 2]) && is_digit(text[end + 3]))
    end += 4;
  const bool more_digits = end < text.size() && is_digit(text[end]);
  return end == first || more_digits ? 0 : end - at;
}

// Second pass: separators between groups of three digits, outside brackets (where a comma separates
// elements).
std::string without_thousands_separators(std::string_view text) {
  std::string out;
  int depth = 0;
  for (size_t at = 0; at < text.size();) {
    const char c = text[at];
    if (std::string_view("([{").find(c) != std::string_view::npos) ++depth;
    if (std::string_view(")]}").find(c) != std::string_view::npos) --depth;
    const bool starts =
        is_digit(c) &&
        (at == 0 || (!is_digit(text[at - 1]) && text[at - 1] != '.' && text[at - 1] != ','));
    const size_t length = starts && depth == 0 ? grouped_number(text, at) : 0;
    for (size_t i = at; i < at + length; ++i)
      if (is_digit(text[i])) out += text[i];
    if (length == 0) out += c;
    at += std::max<size_t>(length, 1);
  }
  return out;
}

// {{5}} -> 5: the braces that open at the start and close at the end, layer by layer.
std::string_view without_outer_braces(std::string_view text) {
  size_t layers = 0;
  while (2 * layers + 2 < text.size() && text[layers] == '{' &&
         text[text.size() - 1 - layers] == '}')
    ++layers;
  size_t depth = 0, lowest = layers;
  for (const char c : text.substr(layers, text.size() - 2 * layers)) {
    if (c == '{') ++depth;
    if (c != '}') continue;
    if (depth > 0) {
      --depth;
    } else if (lowest > 0) {
      --lowest;  // this layer closes before the end
    }
  }
  return text.substr(lowest, text.size() - 2 * lowest);
}

std::string with_percent_sign(std::string text) {
  for (const std::string_view word : {" percent", " pct"})
    if (text.ends_with(word)) return text.substr(0, text.size() - word.size()) + "%";
  return text;
}

}  // namespace

std::string normalise(std::string_view answer) {
  std::string rewritten;
  if (!Rewriter(answer).run(rewritten)) return "";
  std::string_view text = trimmed(rewritten, " *");
  text = without_outer_braces(text.substr(0, text.find_last_not_of(" .,;") + 1));
  return with_percent_sign(without_thousands_separators(text));
}

std::string comparison_key(std::string_view normalised) {
  std::string key;
  size_t num_letters = 0;
  for (size_t at = 0; at < normalised.size(); ++at) {
    const char c = normalised[at];
    if (c == ' ' || c == kTextBegin || c == kTextEnd) continue;
    const bool lone = c == '{' && at + 2 < normalised.size() && normalised[at + 2] == '}' &&
                      normalised[at + 1] != '{' && normalised[at + 1] != '\\';
    if (lone) {
      key += normalised[at + 1];
      at += 2;
      continue;
    }
    num_letters += is_letter(c);
    key += c;
  }
  if (key.starts_with("+")) key.erase(0, 1);
  if (num_letters == key.size() && num_letters > 1)
    for (char& c : key) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return key;
}

}  // namespace covrl
