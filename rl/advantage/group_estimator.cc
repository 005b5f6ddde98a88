#include "rl/advantage/group_estimator.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "core/error.h"

namespace covrl {
CompletionScore completion_score(const AdvantageInput& input, size_t sequence) {
  CompletionScore completion;
  for (int64_t t = input.cu_seqlens[sequence]; t < input.cu_seqlens[sequence + 1]; ++t) {
    const auto entry = static_cast<size_t>(t);
    if (!input.mask_T[entry]) continue;
    completion.score += input.reward_T[entry];
    completion.length += 1;
  }
  return completion;
}

ScoreStatistics score_statistics(const std::vector<double>& scores) {
  if (scores.empty()) return {};
  // Centred on the smallest, so that rounding cannot give a group of equal scores an advantage.
  const double base = *std::min_element(scores.begin(), scores.end());
  const double count = static_cast<double>(scores.size());
  double sum = 0;
  for (double score : scores) sum += score - base;
  ScoreStatistics statistics;
  statistics.mean = base + sum / count;
  double squares = 0;
  for (double score : scores) squares += (score - statistics.mean) * (score - statistics.mean);
  if (scores.size() > 1) statistics.standard_deviation = std::sqrt(squares / (count - 1));
  return statistics;
}

std::vector<double> centred_scores(const GroupScores& group) {
  std::vector<double> values = group.scores;
  const double mean = values.size() == 1 ? 0 : score_statistics(values).mean;
  for (double& value : values) value -= mean;
  return values;
}

AdvantageEstimate GroupEstimator::estimate(const AdvantageInput& input) const {
  std::map<int64_t, std::vector<size_t>> members;  // of each group, those that take part
  std::vector<CompletionScore> completions;
  for (size_t n = 0; n < input.num_sequences(); ++n) {
    completions.push_back(completion_score(input, n));
    if (completions.back().length > 0) members[input.group[n]].push_back(n);
  }
  AdvantageEstimate result;
  result.advantage_T.resize(input.mask_T.size());
  for (const auto& [id, sequences] : members) {
    GroupScores group;
    for (size_t n : sequences) {
      group.scores.push_back(completions[n].score);
      group.lengths.push_back(completions[n].length);
    }
    const std::vector<double> values = advantages(group);
    COVRL_CHECK(values.size() == sequences.size(), sequences.size(), " scores, ", values.size(),
                " advantages");
    for (size_t i = 0; i < sequences.size(); ++i)
      for (int64_t t = input.cu_seqlens[sequences[i]]; t < input.cu_seqlens[sequences[i] + 1]; ++t)
        if (const auto entry = static_cast<size_t>(t); input.mask_T[entry])
          result.advantage_T[entry] = values[i];
  }
  result.return_T = result.advantage_T;
  return result;
}

}  // namespace covrl
