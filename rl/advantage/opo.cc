// OPO (arXiv 2505.23585): the score minus the group's mean score weighted by length, the baseline
// of least variance when a completion's gradient grows with its length. A group of one keeps its
// score.
#include "rl/advantage/group_estimator.h"

namespace covrl {
namespace {

class Opo : public GroupEstimator {
  std::vector<double> advantages(const GroupScores& group) const override {
    std::vector<double> values = group.scores;
    if (values.size() == 1) return values;
    // Relative to the first score, so that equal scores have exactly no advantage.
    const double base = values.front();
    double weighted = 0, total_length = 0;
    for (size_t i = 0; i < values.size(); ++i) {
      weighted += group.lengths[i] * (values[i] - base);
      total_length += group.lengths[i];
    }
    const double baseline = base + weighted / total_length;
    for (double& value : values) value -= baseline;
    return values;
  }
};

}  // namespace

std::unique_ptr<AdvantageEstimator> make_opo(const AdvantageConfig&) {
  return std::make_unique<Opo>();
}

}  // namespace covrl
