#include "core/metrics.h"

#include <cmath>
#include <limits>

#include "core/error.h"
#include "core/jsonl.h"
#include "core/step_log.h"

namespace covrl {
namespace {

Json to_json(int64_t step, const Metrics& metrics) {
  Json line = {{"step", step}};
  for (const auto& [name, value] : metrics.entries()) {
    COVRL_CHECK(name != "step", "a metric may not be called step");
    line[name] = std::isfinite(value) ? Json(value) : Json(nullptr);
  }
  return line;
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

class JsonlSink final : public MetricsSink {
 public:
  JsonlSink(const std::string& path, int64_t resume_step) : log_(path, resume_step) {}

  void write(int64_t step, const Metrics& metrics) override {
    log_.add(to_json(step, metrics));
    log_.flush();
  }

 private:
  StepLog log_;
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
  return std::make_unique<JsonlSink>(path, resume_step);
}

std::vector<std::pair<int64_t, Metrics>> read_metrics(const std::string& path) {
  std::vector<std::pair<int64_t, Metrics>> rows;
  read_log(path, [&](int64_t line_number, const Json& line) {
    rows.push_back(from_line(line, concat(path, ":", line_number)));
  });
  return rows;
}

}  // namespace covrl
