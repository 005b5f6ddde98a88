// Dr. GRPO (arXiv 2503.20783): the distance from the group's mean, not divided by the deviation, so
// that easy and hard prompts weigh alike. A group of one keeps its score.
#include "rl/advantage/group_estimator.h"

namespace covrl {
namespace {

class DrGrpo : public GroupEstimator {
  std::vector<double> advantages(const GroupScores& group) const override {
    std::vector<double> values = group.scores;
    const double mean = values.size() == 1 ? 0 : score_statistics(values).mean;
    for (double& value : values) value -= mean;
    return values;
  }
};

}  // namespace

std::unique_ptr<AdvantageEstimator> make_dr_grpo(const AdvantageConfig&) {
  return std::make_unique<DrGrpo>();
}

}  // namespace covrl
