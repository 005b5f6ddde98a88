#include "rl/advantage/group_statistics.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"

namespace covrl {

GroupStatistics group_statistics(const GroupRewards& group) {
  std::vector<double> rewards;
  for (size_t i = 0; i < group.rewards.size(); ++i)
    if (group.usable[i]) rewards.push_back(group.rewards[i]);
  if (rewards.empty()) return {};
  // Centred on the smallest, so that rounding cannot give a group of equal rewards an advantage.
  const double base = *std::min_element(rewards.begin(), rewards.end());
  double sum = 0;
  for (double reward : rewards) sum += reward - base;
  GroupStatistics statistics;
  statistics.num_usable = static_cast<double>(rewards.size());
  statistics.mean = base + sum / statistics.num_usable;
  double squares = 0;
  for (double reward : rewards) squares += (reward - statistics.mean) * (reward - statistics.mean);
  if (rewards.size() > 1)
    statistics.standard_deviation = std::sqrt(squares / (statistics.num_usable - 1));
  return statistics;
}

std::vector<std::vector<double>> RelativeEstimator::estimate(
    const std::vector<GroupRewards>& groups) const {
  std::vector<std::vector<double>> advantages;
  for (const GroupRewards& group : groups) {
    COVRL_CHECK(group.usable.size() == group.rewards.size(), "a reward without its usable flag");
    const GroupStatistics statistics = group_statistics(group);
    std::vector<double>& values = advantages.emplace_back(group.rewards.size(), 0.0);
    for (size_t i = 0; i < values.size(); ++i)
      if (group.usable[i]) values[i] = advantage(group.rewards[i], statistics);
  }
  return advantages;
}

}  // namespace covrl
