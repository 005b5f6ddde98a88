// Dr. GRPO (arXiv 2503.20783): the distance from the group's mean, not divided by the deviation, so
// that easy and hard prompts weigh alike. A group of one keeps its score.
#include "rl/advantage/group_estimator.h"

namespace covrl {
namespace {

class DrGrpo : public GroupEstimator {
  std::vector<double> advantages(const GroupScores& group) const override {
    return centred_scores(group);
  }
};

}  // namespace

std::unique_ptr<AdvantageEstimator> make_dr_grpo(const AdvantageConfig&) {
  return std::make_unique<DrGrpo>();
}

}  // namespace covrl
