#include "verifiers/boxes.h"

#include <algorithm>
#include <array>

#include "verifiers/text.h"

namespace covrl {

namespace {

constexpr std::array<std::string_view, 2> kCommands = {"\\boxed", "\\fbox"};

// Length of the command at `at`, 0 when there is none. \boxedx is another command.
size_t command_length(std::string_view text, size_t at) {
  for (const std::string_view command : kCommands) {
    if (text.compare(at, command.size(), command) != 0) continue;
    const size_t after = at + command.size();
    if (after == text.size() || !is_letter(text[after])) return command.size();
  }
  return 0;
}

struct OpenBox {
  size_t begin, content, order;
  size_t depth = 0;  // braces open inside it
};

// State of the scan: boxes that are open, the inner ones last.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  BoxScan run() {
    for (size_t at = 0; at < text_.size();) at = step(at);
    result_.last_is_complete = num_begun_ == 0 || last_closed_ == num_begun_;
    return std::move(result_);
  }

 private:
  size_t step(size_t at) {
    const char c = text_[at];
    if (c == '\\') {
      if (const size_t length = command_length(text_, at)) return open(at, at + length);
      return at + 2;  // an escaped brace or another command
    }
    if (!open_.empty()) {
      if (c == '{') ++open_.back().depth;
      if (c == '}') close_brace(at);
    }
    return at + 1;
  }

  size_t open(size_t begin, size_t at) {
    ++num_begun_;
    while (at < text_.size() && is_space(text_[at])) ++at;
    if (const size_t end = bare_number_end(at)) return close(begin, at, end);
    if (at == text_.size() || text_[at] != '{') return at;  // begun, never opened
    open_.push_back({begin, at + 1, num_begun_});
    return at + 1;
  }

  // \boxed 5 without braces: where the number ends, when its line, sentence or formula ends there
  // too; else 0.
  size_t bare_number_end(size_t at) const {
    size_t end = at;
    while (end < text_.size() && is_digit(text_[end])) ++end;
    if (end == at) return 0;
    std::string_view rest = text_.substr(end);
    if (rest.starts_with('.') && (rest.size() == 1 || is_space(rest[1]))) return end;
    rest.remove_prefix(std::min(rest.size(), rest.find_first_not_of(' ')));
    const bool ends = rest.empty() || rest[0] == '\n' || rest[0] == '$' ||
                      rest.starts_with("\\)") || rest.starts_with("\\]");
    return ends ? end : 0;
  }

  size_t close(size_t begin, size_t content, size_t end) {
    result_.boxes.push_back({begin, end, text_.substr(content, end - content)});
    last_closed_ = num_begun_;
    return end;
  }

  void close_brace(size_t at) {
    if (open_.back().depth > 0) {
      --open_.back().depth;
      return;
    }
    const OpenBox box = open_.back();
    open_.pop_back();
    while (!result_.boxes.empty() && result_.boxes.back().begin > box.begin)
      result_.boxes.pop_back();  // inside this one
    result_.boxes.push_back({box.begin, at + 1, text_.substr(box.content, at - box.content)});
    // Boxes nested in a complete one are complete themselves.
    last_closed_ = std::max(last_closed_, box.order);
  }

  std::string_view text_;
  BoxScan result_;
  std::vector<OpenBox> open_;
  size_t num_begun_ = 0;
  size_t last_closed_ = 0;  // order of the latest begun box that is complete
};

}  // namespace

BoxScan find_boxes(std::string_view text) { return Scanner(text).run(); }

}  // namespace covrl
