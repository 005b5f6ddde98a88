// GPG (arXiv 2504.02546): the distance from the group's mean, scaled by the completions of the
// batch over those with a score other than 0. A group of one keeps its score.
#include <algorithm>

#include "rl/advantage/group_estimator.h"

namespace covrl {
namespace {

double batch_scale(const AdvantageInput& input) {
  double num_completions = 0, num_nonzero = 0;
  for (size_t n = 0; n < input.num_sequences(); ++n) {
    const CompletionScore completion = completion_score(input, n);
    num_completions += completion.length > 0;
    num_nonzero += completion.length > 0 && completion.score != 0;
  }
  return num_completions / std::max(1.0, num_nonzero);
}

class Gpg : public GroupEstimator {
 public:
  AdvantageEstimate estimate(const AdvantageInput& input) const override {
    AdvantageEstimate result = GroupEstimator::estimate(input);
    const double scale = batch_scale(input);
    for (double& value : result.advantage_T) value *= scale;
    result.return_T = result.advantage_T;
    return result;
  }

 private:
  std::vector<double> advantages(const GroupScores& group) const override {
    return centred_scores(group);
  }
};

}  // namespace

std::unique_ptr<AdvantageEstimator> make_gpg(const AdvantageConfig&) {
  return std::make_unique<Gpg>();
}

}  // namespace covrl
