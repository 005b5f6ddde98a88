// REINFORCE++ with the group's mean as baseline (arXiv 2501.03262): the distance from that mean,
// whitened over the tokens of the batch instead of divided by the group's own deviation. A group of
// one keeps its score.
#include "rl/advantage/group_estimator.h"
#include "rl/advantage/whiten.h"

namespace covrl {
namespace {

class ReinforcePlusPlusBaseline : public GroupEstimator {
 public:
  AdvantageEstimate estimate(const AdvantageInput& input) const override {
    AdvantageEstimate result = GroupEstimator::estimate(input);
    whiten(result.advantage_T, input.mask_T);
    result.return_T = result.advantage_T;
    return result;
  }

 private:
  std::vector<double> advantages(const GroupScores& group) const override {
    return centred_scores(group);
  }
};

}  // namespace

std::unique_ptr<AdvantageEstimator> make_reinforce_plus_plus_baseline(const AdvantageConfig&) {
  return std::make_unique<ReinforcePlusPlusBaseline>();
}

}  // namespace covrl
