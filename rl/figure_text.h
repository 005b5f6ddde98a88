// Figures as people read them in tables, pages and lines of a log. What is not finite is "-".
#pragma once

#include <optional>
#include <string>

namespace covrl {

// `format`: of printf, for one double.
std::string figure(const char* format, double value);
std::string figure(double value, int digits);  // after the point
std::string percent(double share);             // 0.523 -> "52.3 %"

// "52.3 ± 1.2 %": the deviation where there is one, `unit` at the end.
std::string with_deviation(double value, std::optional<double> deviation, int digits,
                           const std::string& unit = "");

}  // namespace covrl
