// Post-saturation generalisation (arXiv 2504.20571, section 3.2.2): the training examples are
// solved, and test accuracy goes on rising. When a run saturated, and what moved since, from the
// rows of its metrics.jsonl alone.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/metrics.h"

namespace covrl {

constexpr double kSaturationAccuracy = 0.99;

using MetricRows = std::vector<std::pair<int64_t, Metrics>>;

// Share of the step's judged training responses that are correct, from verifier/{correct, wrong,
// unparsed}; none where the row has none.
std::optional<double> training_accuracy(const Metrics& row);

// A run is saturated while the mean training accuracy of its last five steps is at least
// `accuracy`; since the first of the steps for which this has held without a break. One missed
// response does not end it.
class SaturationWatch {
 public:
  explicit SaturationWatch(double accuracy) : accuracy_(accuracy) {}
  // The rows of a run in order. Sets train/saturated_since while the run is saturated.
  void add(int64_t step, Metrics& row);
  void replay(const MetricRows& rows);
  std::optional<int64_t> since() const { return since_; }

 private:
  double accuracy_;
  std::vector<double> recent_;
  std::optional<int64_t> since_;
};

// What a metric did after `since`. Evaluations are sparse: `before` is the value at `since` or the
// latest one earlier, else the first one later.
struct MovedSince {
  double before = 0, last = 0;
  double best = 0;  // largest after the step of `before`
  int64_t before_step = 0, last_step = 0, best_step = 0;
};
// None when the metric has no value after that of `before`.
std::optional<MovedSince> moved_since(const MetricRows& rows, const std::string& metric,
                                      int64_t since);

// "Saturated since step 60 (training accuracy 99 % or more). Since then: test, mean@4 66.1 -> 70.8
// %, best 71.0 % at step 80"; empty when the run is not saturated at its end.
std::string saturation_text(const MetricRows& rows, double accuracy,
                            const std::string& test_metric);

}  // namespace covrl
