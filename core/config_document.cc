#include <algorithm>

#include "core/config.h"
#include "core/config_printer.h"

namespace covrl::config {
namespace {

// Text inside a cell of a Markdown table.
std::string cell(const std::string& text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '|')
      escaped += "\\|";
    else
      escaped += c == '\n' ? ' ' : c;
  }
  return escaped;
}

class Documenter final : public Printer {
 public:
  std::string text() const {
    std::string text;
    for (const Table& table : tables_) {
      if (!table.path.empty()) text += heading(table) + "\n\n" + table.help + "\n\n";
      if (table.rows.empty()) continue;
      text += "| key | default | takes | meaning |\n|---|---|---|---|\n" + table.rows + "\n";
    }
    return text;
  }

 protected:
  void enter(const char* key, const char* help) override {
    const std::string& parent = tables_[open_.back()].path;
    const std::string path = parent.empty() ? key : parent + "." + key;
    open_.push_back(tables_.size());
    tables_.push_back({path, help, ""});
  }
  void leave() override { open_.pop_back(); }
  void print(const std::string& key, const std::string& value, const std::string& help,
             const std::string& allowed) override {
    tables_[open_.back()].rows +=
        "| `" + key + "` | `" + cell(value) + "` | " + cell(allowed) + " | " + cell(help) + " |\n";
  }

 private:
  struct Table {
    std::string path;
    std::string help;
    std::string rows;
  };

  static std::string heading(const Table& table) {
    const auto depth = std::count(table.path.begin(), table.path.end(), '.');
    return std::string(2 + static_cast<size_t>(depth), '#') + " " + table.path;
  }

  std::vector<Table> tables_ = {{"", "", ""}};  // in the order of first mention
  std::vector<size_t> open_ = {0};              // from the root's table to the current one
};

}  // namespace

std::string document(const Describe& describe) {
  Documenter documenter;
  describe(documenter);
  return documenter.text();
}

}  // namespace covrl::config
