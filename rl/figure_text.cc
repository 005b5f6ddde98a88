#include "rl/figure_text.h"

#include <cmath>
#include <cstdio>

namespace covrl {

std::string figure(const char* format, double value) {
  if (!std::isfinite(value)) return "-";
  char text[64];
  std::snprintf(text, sizeof text, format, value);
  return text;
}

std::string figure(double value, int digits) {
  if (!std::isfinite(value)) return "-";
  char text[64];
  std::snprintf(text, sizeof text, "%.*f", digits, value);
  return text;
}

std::string percent(double share) { return figure("%.1f %%", 100 * share); }

std::string with_deviation(double value, std::optional<double> deviation, int digits,
                           const std::string& unit) {
  if (!std::isfinite(value)) return "-";
  const std::string text = figure(value, digits);
  return (deviation ? text + " ± " + figure(*deviation, digits) : text) + unit;
}

}  // namespace covrl
