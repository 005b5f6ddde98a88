// Which examples are worth training on, by what a run did with each (arXiv 2504.20571, section 2).
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "rl/example_history.h"

namespace covrl {

enum class RankingMethod {
  kStd,       // population standard deviation of the history, largest first: pi_1, pi_2, ...
  kVariance,  // its square: the same order up to rounding
  kLim,       // LIMR (arXiv 2502.11886): 1 - sum_t (a_t - m_t)^2 / sum_t (1 - m_t)^2, largest
              // first, m_t the mean of all at their t-th time; over the shortest history's times
  kEasiest,   // mean accuracy, largest first
  kHardest,   // mean accuracy, smallest first
  kNearest,   // distance of the mean accuracy from `accuracy`, smallest first
  kRandom,    // a draw, largest first; needs no history
};
// The words of --method.
const std::vector<std::pair<std::string, RankingMethod>>& ranking_methods();

struct RankingRule {
  RankingMethod method = RankingMethod::kStd;
  double accuracy = 0.5;  // of kNearest
  uint64_t seed = 1;      // of kRandom: a function of (seed, place in the histories)
};

struct RankedExample {
  std::string id;
  int64_t rank = 0;  // from 1
  double score = 0;  // what it was ranked by
  double mean = 0, std = 0;
  int64_t num_seen = 0;
  int64_t first_tied = 0, last_tied = 0;  // ranks of equal score; both its own when there is none
};

// Stable: examples of equal score keep the order of the histories. Sums are made in numpy's order,
// so that equal scores which differ in the last digit fall as in the published ranking; scores
// closer than 1e-12 count as tied. Examples never seen are not ranked, but by kRandom.
std::vector<RankedExample> rank_examples(const std::vector<ExampleHistory>& histories,
                                         const RankingRule& rule);

// Times of each example that kLim compares: those of the shortest history that is not empty.
int64_t lim_length(const std::vector<ExampleHistory>& histories);

// A sum in numpy's order: pairwise above 128 values, eight partial sums below.
double pairwise_sum(const double* values, size_t count);

}  // namespace covrl
