// Estimators that compare the scores of one prompt's completions, with the same advantage for every
// token of a completion.
#pragma once

#include <vector>

#include "rl/advantage/advantage.h"

namespace covrl {

struct CompletionScore {
  double score = 0;   // sum of token rewards
  double length = 0;  // tokens that count
};
CompletionScore completion_score(const AdvantageInput& input, size_t sequence);

// The sequences of one prompt that take part.
struct GroupScores {
  std::vector<double> scores;   // sum of token rewards
  std::vector<double> lengths;  // tokens that count
};

struct ScoreStatistics {
  double mean = 0;                // exactly the common value when all are equal
  double standard_deviation = 0;  // with n - 1 in the denominator; 0 for fewer than two
};
ScoreStatistics score_statistics(const std::vector<double>& scores);

// The distance of each score from the mean of the group; that of a group of one is the score.
std::vector<double> centred_scores(const GroupScores& group);

class GroupEstimator : public AdvantageEstimator {
 public:
  AdvantageEstimate estimate(const AdvantageInput& input) const override;

 protected:
  // One advantage per score; `group` is never empty.
  virtual std::vector<double> advantages(const GroupScores& group) const = 0;
};

}  // namespace covrl
