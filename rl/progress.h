// The one line a step that a person watches: step, reward, test accuracy, entropy, length,
// tokens/s, time remaining.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "core/metrics.h"

namespace covrl {

// Seconds since construction or the last lap().
class Stopwatch {
 public:
  double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  }
  double lap() {
    const double elapsed = seconds();
    start_ = std::chrono::steady_clock::now();
    return elapsed;
  }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

std::string format_duration(double seconds);  // "48 s", "3:07 min", "2:05 h"

class Progress {
 public:
  Progress(int64_t first_step, int64_t total_steps)
      : first_step_(first_step), total_steps_(total_steps) {}
  // Accuracy of the latest evaluation, shown until the next one. Named after its set.
  void set_accuracy(const std::string& set, double accuracy);
  void show(int64_t step, const Metrics& metrics);

 private:
  int64_t first_step_, total_steps_;
  std::string accuracy_;
  Stopwatch since_start_;
};

}  // namespace covrl
