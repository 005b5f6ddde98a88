// Mean and spread of a group's usable rewards, what estimators are relative to.
#pragma once

#include <functional>
#include <vector>

#include "rl/advantage/advantage.h"

namespace covrl {

struct GroupStatistics {
  double num_usable = 0;
  double mean = 0;  // exactly the common value when all are equal; 0 when none is usable
  double standard_deviation = 0;  // with n - 1 in the denominator; 0 for fewer than two
};
GroupStatistics group_statistics(const GroupRewards& group);

// An estimator whose advantage depends on the reward and its group's statistics alone; unusable
// trajectories get 0.
class RelativeEstimator : public AdvantageEstimator {
 public:
  std::vector<std::vector<double>> estimate(const std::vector<GroupRewards>& groups) const override;

 protected:
  virtual double advantage(double reward, const GroupStatistics& group) const = 0;
};

}  // namespace covrl
