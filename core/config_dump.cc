#include <algorithm>
#include <utility>

#include "core/config.h"
#include "core/config_printer.h"

namespace covrl::config {
namespace {

class Dumper final : public Printer {
 public:
  explicit Dumper(Comments comments) : comments_(comments) {}
  std::string take() { return std::move(text_); }

 protected:
  void enter(const char* key, const char* help) override {
    if (comments_ == Comments::kHelp && depth_ == 0 && !text_.empty()) text_ += "\n";
    comment(help);
    line(std::string(key) + ":");
    ++depth_;
  }
  void leave() override { --depth_; }
  void print(const std::string& key, const std::string& value, const std::string& help,
             const std::string& allowed) override {
    comment(help + " (" + allowed + ")");
    line(key + ": " + value);
  }

 private:
  void line(const std::string& content) {
    text_.append(2 * depth_, ' ').append(content).append("\n");
  }

  // Long help is broken between words.
  void comment(const std::string& help) {
    if (comments_ == Comments::kNone) return;
    constexpr size_t kWidth = 96;
    std::string row(1, '#');
    size_t start = 0;
    while (start < help.size()) {
      const size_t end = std::min(help.find_first_of(" \n", start), help.size());
      if (row.size() + 1 + end - start > kWidth && row.size() > 1) {
        line(row);
        row.assign(1, '#');
      }
      if (end > start) row.append(1, ' ').append(help, start, end - start);
      start = end + 1;
    }
    line(row);
  }

  Comments comments_;
  std::string text_;
  size_t depth_ = 0;
};

}  // namespace

std::string dump(const Describe& describe, Comments comments) {
  Dumper dumper(comments);
  describe(dumper);
  return dumper.take();
}

}  // namespace covrl::config
