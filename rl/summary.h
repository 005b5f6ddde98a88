// Mean, largest and smallest of a stream of numbers.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <string>

#include "core/metrics.h"

namespace covrl {

class Summary {
 public:
  void add(double value) {
    sum_ += value;
    ++count_;
    max_ = std::max(max_, value);
    min_ = std::min(min_, value);
  }
  double mean() const { return count_ == 0 ? 0 : sum_ / static_cast<double>(count_); }
  // NAME/mean, NAME/max, NAME/min; all 0 when nothing was added.
  void write(const std::string& name, Metrics& metrics) const {
    metrics.set(name + "/mean", mean());
    metrics.set(name + "/max", count_ == 0 ? 0 : max_);
    metrics.set(name + "/min", count_ == 0 ? 0 : min_);
  }

 private:
  double sum_ = 0;
  int64_t count_ = 0;
  double max_ = -std::numeric_limits<double>::infinity();
  double min_ = std::numeric_limits<double>::infinity();
};

}  // namespace covrl
