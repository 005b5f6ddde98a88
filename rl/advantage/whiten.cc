#include "rl/advantage/whiten.h"

#include <cmath>

#include "rl/advantage/group_estimator.h"

namespace covrl {
namespace {

constexpr double kEpsilon = 1e-8;

}  // namespace

void whiten(std::vector<double>& values_T, const std::vector<uint8_t>& mask_T) {
  std::vector<double> counted;
  for (size_t t = 0; t < mask_T.size(); ++t)
    if (mask_T[t]) counted.push_back(values_T[t]);
  const ScoreStatistics statistics = score_statistics(counted);
  const double deviation =
      std::sqrt(statistics.standard_deviation * statistics.standard_deviation + kEpsilon);
  for (size_t t = 0; t < mask_T.size(); ++t)
    values_T[t] = mask_T[t] ? (values_T[t] - statistics.mean) / deviation : 0;
}

}  // namespace covrl
