// GRPO (arXiv 2402.03300): the reward's distance from the group's mean in standard deviations, with
// verl's epsilon. A group of one keeps its reward (mean 0, deviation 1), as verl has it.
#include "rl/advantage/group_statistics.h"

namespace covrl {
namespace {

constexpr double kEpsilon = 1e-6;

class Grpo : public RelativeEstimator {
  double advantage(double reward, const GroupStatistics& group) const override {
    if (group.num_usable == 1) return reward / (1 + kEpsilon);
    return (reward - group.mean) / (group.standard_deviation + kEpsilon);
  }
};

}  // namespace

std::unique_ptr<AdvantageEstimator> make_grpo() { return std::make_unique<Grpo>(); }

}  // namespace covrl
