// GRPO (arXiv 2402.03300): the score's distance from the group's mean in standard deviations, with
// verl's epsilon. A group of one keeps its score (mean 0, deviation 1), as verl has it.
#include "rl/advantage/group_estimator.h"

namespace covrl {
namespace {

constexpr double kEpsilon = 1e-6;

class Grpo : public GroupEstimator {
  std::vector<double> advantages(const GroupScores& group) const override {
    std::vector<double> values = group.scores;
    const ScoreStatistics statistics =
        values.size() == 1 ? ScoreStatistics{0, 1} : score_statistics(values);
    for (double& value : values)
      value = (value - statistics.mean) / (statistics.standard_deviation + kEpsilon);
    return values;
  }
};

}  // namespace

std::unique_ptr<AdvantageEstimator> make_grpo(const AdvantageConfig&) {
  return std::make_unique<Grpo>();
}

}  // namespace covrl
