// Statistics of repeated answers to a set of problems.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace covrl {

struct ProblemScore {
  int64_t num_samples = 0;
  int64_t num_correct = 0;
};

struct Answer {
  std::string text;  // as extracted; empty: none found
  bool correct = false;
};

// Chance that at least one of k samples is right, unbiased from c right of n (arXiv 2107.03374, eq.
// 1). 1 <= k <= n.
double pass_at_k(int64_t n, int64_t c, int64_t k);

// Whether the most frequent non-empty answer is right; the earliest wins a tie; no answer at all is
// wrong.
bool majority_is_correct(const std::vector<Answer>& answers);

// Mean over problems of the share of right samples.
double mean_accuracy(const std::vector<ProblemScore>& scores);

// 95 % percentile bootstrap of mean_accuracy: 2,000 resamples of the problems, the same for the
// same scores.
std::pair<double, double> bootstrap_interval(const std::vector<ProblemScore>& scores);

}  // namespace covrl
