// Metrics of runs whose law is known.
#pragma once

#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "core/metrics.h"

namespace covrl::testing {

constexpr const char* kAccuracy = "val-core/test/acc/mean@4";

// Rows 0 to `num_steps`, each evaluated: the weights after step s have entropy H = 0.7 * 0.8^s and
// accuracy b - a e^H +- noise. A step's covariance is half of what entropy falls by.
inline std::vector<std::pair<int64_t, Metrics>> lawful_run(int num_steps, double a, double b,
                                                           double noise = 0) {
  const auto entropy_after = [](int step) { return 0.7 * std::pow(0.8, step); };
  std::vector<std::pair<int64_t, Metrics>> rows;
  for (int step = 0; step <= num_steps; ++step) {
    Metrics row;
    if (step > 0) {
      row.set("rollout/entropy", entropy_after(step - 1));
      row.set("entropy_ctrl/cov_mean",
              (entropy_after(step - 1) - entropy_after(step)) / 2 * (1 + noise * (step % 3)));
    }
    row.set(kAccuracy, b - a * std::exp(entropy_after(step)) + noise * (step % 2 == 0 ? 1 : -1));
    row.set("val-core/test/acc/greedy", 0.5);
    rows.emplace_back(step, std::move(row));
  }
  return rows;
}

}  // namespace covrl::testing
