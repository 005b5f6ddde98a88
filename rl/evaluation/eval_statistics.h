// Statistics of repeated answers to a set of problems.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace covrl {

struct Answer {
  std::string text;  // as extracted; empty: none found
  bool correct = false;
};

// Chance that at least one of k samples is right, unbiased from c right of n (arXiv 2107.03374, eq.
// 1). 1 <= k <= n.
double pass_at_k(int64_t n, int64_t c, int64_t k);

// The k that pass@k of n samples is told for: 2, 4, 8, ... below n, and n.
std::vector<int64_t> pass_sizes(int64_t n);

// Whether the most frequent non-empty answer is right; the earliest wins a tie; no answer at all is
// wrong.
bool majority_is_correct(const std::vector<Answer>& answers);

// NaN when there are none.
double mean(const std::vector<double>& values);

// 95 % percentile bootstrap of the mean of `values` (one a problem): 2,000 resamples, the same for
// the same values. NaN when there are none.
std::pair<double, double> bootstrap_interval(const std::vector<double>& values);

// Two-sided exact sign test: the chance of a split at least as uneven as `won` to `lost` when each
// is as likely. With one response a problem it is the exact test of McNemar.
double sign_test(int64_t won, int64_t lost);

// The value that a share `part` of them does not exceed (nearest rank); NaN when there are none.
double quantile(std::vector<double> values, double part);

}  // namespace covrl
