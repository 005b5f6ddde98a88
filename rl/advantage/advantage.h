// Advantage estimators over groups of scalar rewards. docs/algorithms.md has the formulas.
#pragma once

#include <memory>
#include <string>
#include <vector>

namespace covrl {

struct GroupRewards {
  std::vector<double> rewards;  // one per trajectory
  std::vector<double> lengths;  // completion tokens of each
  std::vector<bool> usable;     // failed trajectories take no part and get advantage 0
};

class AdvantageEstimator {
 public:
  virtual ~AdvantageEstimator() = default;
  // One advantage per trajectory of each group, broadcast over its tokens by the caller.
  virtual std::vector<std::vector<double>> estimate(
      const std::vector<GroupRewards>& groups) const = 0;
};

// Table (rl/advantage/table.cc): "grpo", "dr_grpo", "rloo", ... Error(kUsage) with the nearest and
// all names.
std::vector<std::string> advantage_names();
std::unique_ptr<AdvantageEstimator> make_advantage(const std::string& name);

}  // namespace covrl
