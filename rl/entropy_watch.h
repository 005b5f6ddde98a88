// What a run's metrics say about its entropy as it goes: the law R = -a e^H + b (entropy/ceiling.h)
// and predicted against measured entropy change (entropy/dynamics.h). A function of the rows of
// metrics.jsonl alone: an interrupted run reads them back, `covrl entropy` reads those of any run.
//
// A rollout of step s is made with the weights after step s-1, therefore
//   law:    accuracy in row s-1 (evaluated after step s-1) goes with rollout/entropy in row s;
//   change: that of step s-1 is the entropy of row s minus that of row s-1, known in row s.
// Rows whose steps are not consecutive make no pair; the last evaluation of a run waits for one.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/metrics.h"
#include "entropy/ceiling.h"
#include "entropy/dynamics.h"

namespace covrl {

class EntropyWatch {
 public:
  // `accuracy`: the metric that R is ("val-core/test/acc/mean@4").
  explicit EntropyWatch(std::string accuracy) : accuracy_(std::move(accuracy)) {}

  // The rows of a run in order, each complete but for what this adds to it: entropy_ctrl/{
  // delta_measured, delta_predicted, eta, delta_correlation} about the step before, and after an
  // evaluation in the row before ceiling/{a, b, predicted, stderr, r2} when the fit is good enough.
  void add(int64_t step, Metrics& row);
  // Rows that were written before.
  void replay(const std::vector<std::pair<int64_t, Metrics>>& rows);

  struct Change {
    int64_t step = 0;  // that changed it
    double covariance = 0;
    ChangeForecast::Outcome outcome;
  };
  const std::string& accuracy() const { return accuracy_; }
  const std::vector<LawPoint>& points() const { return points_; }
  const std::vector<Change>& changes() const { return changes_; }

 private:
  void add_change(int64_t step, double entropy, Metrics& row);
  void add_point(int64_t step, double entropy, Metrics& row);

  struct Previous {
    int64_t step = 0;
    std::optional<double> entropy, covariance, accuracy;
  };
  std::string accuracy_;
  std::optional<Previous> previous_;
  ChangeForecast forecast_;
  std::vector<LawPoint> points_;
  std::vector<Change> changes_;
};

}  // namespace covrl
