#include "rl/eval_statistics.h"

#include <algorithm>
#include <map>

#include "core/error.h"
#include "core/rng.h"

namespace covrl {

double pass_at_k(int64_t n, int64_t c, int64_t k) {
  COVRL_CHECK(1 <= k && k <= n && 0 <= c && c <= n, "n ", n, " c ", c, " k ", k);
  if (n - c < k) return 1.0;
  double all_wrong = 1.0;
  for (int64_t i = n - c + 1; i <= n; ++i)
    all_wrong *= 1.0 - static_cast<double>(k) / static_cast<double>(i);
  return 1.0 - all_wrong;
}

bool majority_is_correct(const std::vector<Answer>& answers) {
  std::map<std::string, int64_t> votes;
  for (const Answer& answer : answers)
    if (!answer.text.empty()) ++votes[answer.text];
  const Answer* best = nullptr;
  for (const Answer& answer : answers)
    if (!answer.text.empty() && (best == nullptr || votes[answer.text] > votes[best->text]))
      best = &answer;
  return best != nullptr && best->correct;
}

double mean_accuracy(const std::vector<ProblemScore>& scores) {
  double sum = 0;
  for (const ProblemScore& score : scores)
    sum += static_cast<double>(score.num_correct) / static_cast<double>(score.num_samples);
  return scores.empty() ? 0 : sum / static_cast<double>(scores.size());
}

std::pair<double, double> bootstrap_interval(const std::vector<ProblemScore>& scores) {
  constexpr int kResamples = 2000;
  if (scores.empty()) return {0, 0};
  std::vector<double> means;
  for (uint64_t resample = 0; resample < kResamples; ++resample) {
    Sequence sequence(/*seed=*/0, Stream::kBootstrap, /*step=*/0, resample);
    std::vector<ProblemScore> drawn;
    for (size_t i = 0; i < scores.size(); ++i)
      drawn.push_back(scores[sequence.below(scores.size())]);
    means.push_back(mean_accuracy(drawn));
  }
  std::sort(means.begin(), means.end());
  return {means[kResamples * 25 / 1000], means[kResamples * 975 / 1000 - 1]};
}

}  // namespace covrl
