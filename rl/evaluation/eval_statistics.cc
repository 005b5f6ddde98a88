#include "rl/evaluation/eval_statistics.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numbers>
#include <numeric>

#include "core/error.h"
#include "core/rng.h"

namespace covrl {

namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

}  // namespace

double pass_at_k(int64_t n, int64_t c, int64_t k) {
  COVRL_CHECK(1 <= k && k <= n && 0 <= c && c <= n, "n ", n, " c ", c, " k ", k);
  if (n - c < k) return 1.0;
  double all_wrong = 1.0;
  for (int64_t i = n - c + 1; i <= n; ++i)
    all_wrong *= 1.0 - static_cast<double>(k) / static_cast<double>(i);
  return 1.0 - all_wrong;
}

std::vector<int64_t> pass_sizes(int64_t n) {
  std::vector<int64_t> sizes;
  for (int64_t k = 2; k < n; k *= 2) sizes.push_back(k);
  sizes.push_back(n);
  return sizes;
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

double mean(const std::vector<double>& values) {
  if (values.empty()) return kNone;
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

std::pair<double, double> bootstrap_interval(const std::vector<double>& values) {
  constexpr int kResamples = 2000;
  if (values.empty()) return {kNone, kNone};
  std::vector<double> means;
  for (uint64_t resample = 0; resample < kResamples; ++resample) {
    Sequence sequence(/*seed=*/0, Stream::kBootstrap, /*step=*/0, resample);
    double sum = 0;
    for (size_t i = 0; i < values.size(); ++i) sum += values[sequence.below(values.size())];
    means.push_back(sum / static_cast<double>(values.size()));
  }
  std::sort(means.begin(), means.end());
  return {means[kResamples * 25 / 1000], means[kResamples * 975 / 1000 - 1]};
}

double sign_test(int64_t won, int64_t lost) {
  const auto n = static_cast<double>(won + lost);
  double tail = 0;
  for (int64_t i = 0; i <= std::min(won, lost); ++i) {
    const auto k = static_cast<double>(i);
    tail += std::exp(std::lgamma(n + 1) - std::lgamma(k + 1) - std::lgamma(n - k + 1) -
                     n * std::numbers::ln2);
  }
  return std::min(1.0, 2 * tail);
}

double quantile(std::vector<double> values, double part) {
  if (values.empty()) return kNone;
  std::sort(values.begin(), values.end());
  const double rank = std::ceil(part * static_cast<double>(values.size()));
  return values[static_cast<size_t>(std::max(rank, 1.0)) - 1];
}

}  // namespace covrl
