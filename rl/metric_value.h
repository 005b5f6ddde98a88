// A number of a metrics row, where there is one.
#pragma once

#include <cmath>
#include <optional>
#include <string>

#include "core/metrics.h"

namespace covrl {

// None when the row lacks the metric or its value is not finite.
inline std::optional<double> finite_metric(const Metrics& row, const std::string& name) {
  const double* value = row.find(name);
  if (value == nullptr || !std::isfinite(*value)) return std::nullopt;
  return *value;
}

}  // namespace covrl
