// GRPO for pass@k (arXiv 2503.19595): only the best completion of a group learns, from its lead
// over the second best, in standard deviations unless norm_adv_by_std_in_grpo is off. Of equal best
// ones, or in a group of one, there is no lead: all are 0.
#include <algorithm>
#include <limits>

#include "rl/advantage/group_estimator.h"

namespace covrl {
namespace {

constexpr double kEpsilon = 1e-6;

class GrpoPassK : public GroupEstimator {
 public:
  explicit GrpoPassK(bool divide) : divide_(divide) {}

 private:
  std::vector<double> advantages(const GroupScores& group) const override {
    std::vector<double> values(group.scores.size());
    if (values.size() < 2) return values;
    const auto best = std::max_element(group.scores.begin(), group.scores.end());
    double second = -std::numeric_limits<double>::infinity();
    for (auto score = group.scores.begin(); score != group.scores.end(); ++score)
      if (score != best) second = std::max(second, *score);
    const double deviation =
        divide_ ? score_statistics(group.scores).standard_deviation + kEpsilon : 1;
    values[static_cast<size_t>(best - group.scores.begin())] = (*best - second) / deviation;
    return values;
  }

  bool divide_;
};

}  // namespace

std::unique_ptr<AdvantageEstimator> make_grpo_passk(const AdvantageConfig& config) {
  return std::make_unique<GrpoPassK>(config.norm_adv_by_std_in_grpo);
}

}  // namespace covrl
