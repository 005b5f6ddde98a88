#include "core/metrics.h"

#include <cerrno>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <limits>

#include "core/error.h"
#include "core/jsonl.h"

namespace covrl {
namespace {

std::string to_line(int64_t step, const Metrics& metrics) {
  Json line = {{"step", step}};
  for (const auto& [name, value] : metrics.entries()) {
    COVRL_CHECK(name != "step", "a metric may not be called step");
    line[name] = std::isfinite(value) ? Json(value) : Json(nullptr);
  }
  return line.dump() + "\n";
}

std::pair<int64_t, Metrics> from_line(const Json& line, const std::string& where) {
  std::pair<int64_t, Metrics> row{get_int(line, "step", where), {}};
  for (const auto& [name, value] : line.items()) {
    if (name == "step") continue;
    constexpr double kNotFinite = std::numeric_limits<double>::quiet_NaN();
    row.second.set(name, value.is_null() ? kNotFinite : get_double(line, name.c_str(), where));
  }
  return row;
}

// Calls `row` with number and text of each line that ends in a newline: what follows the last one
// is torn.
template <class Row>
void for_each_whole_line(const std::string& text, Row row) {
  int64_t line_number = 0;
  size_t start = 0;
  for (size_t end; (end = text.find('\n', start)) != std::string::npos; start = end + 1)
    row(++line_number, text.substr(start, end - start));
}

// Keeps the lines up to `resume_step`, bytes unchanged.
void truncate_after(const std::string& path, int64_t resume_step) {
  const std::string text = read_file(path);
  std::string kept;
  for_each_whole_line(text, [&](int64_t line_number, const std::string& line) {
    const Json object = parse_json(line, path, line_number);
    if (get_int(object, "step", concat(path, ":", line_number)) <= resume_step) kept += line + "\n";
  });
  if (kept.size() != text.size()) write_file_atomically(path, kept);
}

class JsonlSink final : public MetricsSink {
 public:
  explicit JsonlSink(const std::string& path) : path_(path), file_(std::fopen(path.c_str(), "ae")) {
    if (file_ == nullptr) throw_runtime(path, ": cannot be written: ", std::strerror(errno));
  }
  ~JsonlSink() override { std::fclose(file_); }
  JsonlSink(const JsonlSink&) = delete;

  void write(int64_t step, const Metrics& metrics) override {
    const std::string line = to_line(step, metrics);
    const bool written = std::fwrite(line.data(), 1, line.size(), file_) == line.size();
    if (!written || std::fflush(file_) != 0)
      throw_runtime(path_, ": cannot be written: ", std::strerror(errno));
  }

 private:
  std::string path_;
  std::FILE* file_;
};

}  // namespace

void Metrics::set(const std::string& name, double value) {
  for (auto& [known, old] : entries_)
    if (known == name) {
      old = value;
      return;
    }
  entries_.emplace_back(name, value);
}

const double* Metrics::find(const std::string& name) const {
  for (const auto& [known, value] : entries_)
    if (known == name) return &value;
  return nullptr;
}

double Metrics::at(const std::string& name) const {
  const double* value = find(name);
  COVRL_CHECK(value != nullptr, "no metric called ", name);
  return *value;
}

std::unique_ptr<MetricsSink> make_jsonl_sink(const std::string& path, int64_t resume_step) {
  if (std::filesystem::exists(path)) truncate_after(path, resume_step);
  return std::make_unique<JsonlSink>(path);
}

std::vector<std::pair<int64_t, Metrics>> read_metrics(const std::string& path) {
  std::vector<std::pair<int64_t, Metrics>> rows;
  for_each_whole_line(read_file(path), [&](int64_t line_number, const std::string& line) {
    const Json object = parse_json(line, path, line_number);
    rows.push_back(from_line(object, concat(path, ":", line_number)));
  });
  return rows;
}

}  // namespace covrl
