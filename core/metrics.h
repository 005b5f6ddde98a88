// Metrics of a run: names are those of verl where the meaning is the same (docs/metrics.md). A
// step's metrics are gathered in one Metrics and written once, to every sink. The local
// metrics.jsonl is the truth; other sinks are copies.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace covrl {

class Metrics {
 public:
  void set(const std::string& name,
           double value);  // a name set twice keeps its place and takes the new value
  const double* find(const std::string& name) const;
  double at(const std::string& name) const;  // throws when absent
  const std::vector<std::pair<std::string, double>>& entries() const { return entries_; }
  bool empty() const { return entries_.empty(); }

 private:
  std::vector<std::pair<std::string, double>> entries_;  // in order of first setting
};

class MetricsSink {
 public:
  virtual ~MetricsSink() = default;
  virtual void write(int64_t step, const Metrics& metrics) = 0;
};

// Appends {"step":n,"name":value,...} a line, flushed per step. Non-finite values are written as
// null. When resuming, lines of steps after `resume_step` are dropped first (they will be made
// again).
std::unique_ptr<MetricsSink> make_jsonl_sink(const std::string& path, int64_t resume_step);

// Reads metrics.jsonl back: (step, metrics) in file order. A torn last line (killed while writing)
// is left out.
std::vector<std::pair<int64_t, Metrics>> read_metrics(const std::string& path);

}  // namespace covrl
