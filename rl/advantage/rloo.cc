// RLOO (arXiv 2402.14740): the reward minus the mean of the others of its group, n/(n-1) (reward -
// mean). A group of one keeps its reward.
#include "rl/advantage/group_statistics.h"

namespace covrl {
namespace {

class Rloo : public RelativeEstimator {
  double advantage(double reward, const GroupStatistics& group) const override {
    if (group.num_usable == 1) return reward;
    return group.num_usable / (group.num_usable - 1) * (reward - group.mean);
  }
};

}  // namespace

std::unique_ptr<AdvantageEstimator> make_rloo() { return std::make_unique<Rloo>(); }

}  // namespace covrl
