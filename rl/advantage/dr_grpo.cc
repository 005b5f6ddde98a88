// Dr. GRPO (arXiv 2503.20783): the distance from the group's mean, not divided by the deviation, so
// that easy and hard prompts weigh alike. A group of one keeps its reward.
#include "rl/advantage/group_statistics.h"

namespace covrl {
namespace {

class DrGrpo : public RelativeEstimator {
  double advantage(double reward, const GroupStatistics& group) const override {
    return group.num_usable == 1 ? reward : reward - group.mean;
  }
};

}  // namespace

std::unique_ptr<AdvantageEstimator> make_dr_grpo() { return std::make_unique<DrGrpo>(); }

}  // namespace covrl
