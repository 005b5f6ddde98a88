// RLOO (arXiv 2402.14740): the score minus the mean of the others of its group, n/(n-1) (score -
// mean). A group of one keeps its score.
#include "rl/advantage/group_estimator.h"

namespace covrl {
namespace {

class Rloo : public GroupEstimator {
  std::vector<double> advantages(const GroupScores& group) const override {
    std::vector<double> values = group.scores;
    if (values.size() == 1) return values;
    const double count = static_cast<double>(values.size());
    const double mean = score_statistics(values).mean;
    for (double& value : values) value = count / (count - 1) * (value - mean);
    return values;
  }
};

}  // namespace

std::unique_ptr<AdvantageEstimator> make_rloo(const AdvantageConfig&) {
  return std::make_unique<Rloo>();
}

}  // namespace covrl
