#include "rl/example_ranking.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "core/error.h"
#include "core/rng.h"

namespace covrl {
namespace {

double mean_of(const std::vector<double>& values) {
  if (values.empty()) return 0;
  return pairwise_sum(values.data(), values.size()) / static_cast<double>(values.size());
}

double variance_of(const std::vector<double>& values) {
  const double mean = mean_of(values);
  std::vector<double> squares;
  for (const double value : values) squares.push_back((value - mean) * (value - mean));
  return mean_of(squares);
}

std::vector<double> lim_scores(const std::vector<ExampleHistory>& histories) {
  std::vector<double> means(static_cast<size_t>(lim_length(histories)));
  for (const ExampleHistory& history : histories)
    for (size_t t = 0; t < means.size(); ++t)
      means[t] += history.accuracy[t] / static_cast<double>(histories.size());
  double largest = 0;
  for (const double mean : means) largest += (1 - mean) * (1 - mean);
  std::vector<double> scores;
  for (const ExampleHistory& history : histories) {
    double distance = 0;
    for (size_t t = 0; t < means.size(); ++t)
      distance += (history.accuracy[t] - means[t]) * (history.accuracy[t] - means[t]);
    // All solved all the time: every example is where the mean is.
    scores.push_back(largest == 0 ? 1 : 1 - distance / largest);
  }
  return scores;
}

double score_of(const std::vector<double>& accuracy, size_t place, const RankingRule& rule) {
  switch (rule.method) {
    case RankingMethod::kStd:
      return std::sqrt(variance_of(accuracy));
    case RankingMethod::kVariance:
      return variance_of(accuracy);
    case RankingMethod::kEasiest:
    case RankingMethod::kHardest:
      return mean_of(accuracy);
    case RankingMethod::kNearest:
      return std::abs(mean_of(accuracy) - rule.accuracy);
    case RankingMethod::kRandom:
      return uniform(rule.seed, Stream::kExampleChoice, {.prompt = place});
    case RankingMethod::kLim:
      break;
  }
  COVRL_CHECK(false, "ranking method ", static_cast<int>(rule.method));
}

std::vector<double> scores_of(const std::vector<ExampleHistory>& histories,
                              const RankingRule& rule) {
  if (rule.method == RankingMethod::kLim) return lim_scores(histories);
  std::vector<double> scores;
  for (size_t i = 0; i < histories.size(); ++i)
    scores.push_back(score_of(histories[i].accuracy, i, rule));
  return scores;
}

bool is_tie(double a, double b) {
  return std::abs(a - b) <= 1e-12 * std::max({1.0, std::abs(a), std::abs(b)});
}

void mark_ties(std::vector<RankedExample>& ranked) {
  for (size_t begin = 0, end = 0; begin < ranked.size(); begin = end) {
    for (end = begin + 1; end < ranked.size() && is_tie(ranked[end - 1].score, ranked[end].score);)
      ++end;
    for (size_t i = begin; i < end; ++i) {
      ranked[i].first_tied = static_cast<int64_t>(begin) + 1;
      ranked[i].last_tied = static_cast<int64_t>(end);
    }
  }
}

}  // namespace

const std::vector<std::pair<std::string, RankingMethod>>& ranking_methods() {
  static const std::vector<std::pair<std::string, RankingMethod>> methods = {
      {"std", RankingMethod::kStd},         {"variance", RankingMethod::kVariance},
      {"lim", RankingMethod::kLim},         {"easiest", RankingMethod::kEasiest},
      {"hardest", RankingMethod::kHardest}, {"nearest", RankingMethod::kNearest},
      {"random", RankingMethod::kRandom}};
  return methods;
}

int64_t lim_length(const std::vector<ExampleHistory>& histories) {
  size_t length = std::numeric_limits<size_t>::max();
  for (const ExampleHistory& history : histories)
    if (!history.accuracy.empty()) length = std::min(length, history.accuracy.size());
  return length == std::numeric_limits<size_t>::max() ? 0 : static_cast<int64_t>(length);
}

double pairwise_sum(const double* values, size_t count) {
  constexpr size_t kLanes = 8, kBlock = 128;
  if (count > kBlock) {
    const size_t half = count / 2 - count / 2 % kLanes;
    return pairwise_sum(values, half) + pairwise_sum(values + half, count - half);
  }
  double sum = 0;
  size_t i = 0;
  if (count >= kLanes) {
    double lane[kLanes];
    std::copy(values, values + kLanes, lane);
    for (i = kLanes; i + kLanes <= count; i += kLanes)
      for (size_t j = 0; j < kLanes; ++j) lane[j] += values[i + j];
    sum = ((lane[0] + lane[1]) + (lane[2] + lane[3])) + ((lane[4] + lane[5]) + (lane[6] + lane[7]));
  }
  for (; i < count; ++i) sum += values[i];
  return sum;
}

std::vector<RankedExample> rank_examples(const std::vector<ExampleHistory>& histories,
                                         const RankingRule& rule) {
  std::vector<ExampleHistory> seen;
  for (const ExampleHistory& history : histories)
    if (!history.accuracy.empty() || rule.method == RankingMethod::kRandom) seen.push_back(history);
  const std::vector<double> scores = scores_of(seen, rule);
  const bool ascending =
      rule.method == RankingMethod::kHardest || rule.method == RankingMethod::kNearest;
  std::vector<size_t> order(seen.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    return ascending ? scores[a] < scores[b] : scores[a] > scores[b];
  });
  std::vector<RankedExample> ranked;
  for (const size_t i : order) {
    RankedExample example;
    example.id = seen[i].id;
    example.rank = static_cast<int64_t>(ranked.size()) + 1;
    example.score = scores[i];
    example.mean = mean_of(seen[i].accuracy);
    example.std = std::sqrt(variance_of(seen[i].accuracy));
    example.num_seen = static_cast<int64_t>(seen[i].accuracy.size());
    ranked.push_back(example);
  }
  mark_ties(ranked);
  return ranked;
}

}  // namespace covrl
