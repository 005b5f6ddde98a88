// What the rows of an evaluation say: the same function during training, in `covrl eval`, and for
// rows read back. It does not depend on the order of the rows.
//
// Rows that failed to be sampled or verified are left out of everything and counted; a statistic of
// nothing is NaN.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "rl/evaluation/eval_rows.h"

namespace covrl {

// Of the greedy or of the sampled responses to a benchmark.
struct ResponseStatistics {
  static constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
  int64_t num_samples = 0;    // k: responses to a problem, failed ones included
  int64_t num_responses = 0;  // that count
  int64_t num_failed = 0;
  double accuracy = kNone;                       // mean@k: mean over problems of the share right
  double low = kNone, high = kNone;              // its 95 % bootstrap interval over problems
  std::vector<std::pair<int64_t, double>> pass;  // k, pass@k; a problem with fewer responses that
                                                 // count: of all it has
  double majority = kNone;   // maj@k: share of problems whose most frequent answer is right; none
                             // where the verifier calls responses right without their answers
  double length = kNone;     // mean, tokens
  double length_90 = kNone;  // 90 % are no longer
  double parsed = kNone;     // share in which an answer was found
  double boxed = kNone;      // share with a complete \boxed{}
  double truncated = kNone;  // share that reached the length limit
  double reflection =
      kNone;  // share with a self-reflection word (rl/evaluation/reflection_words.h)
  double degenerate = kNone;  // share of texts that repeat themselves (rollout/degenerate_text.h)
  double entropy = kNone;     // nats, mean over tokens
  double pass_at_all() const { return pass.empty() ? kNone : pass.back().second; }
};

struct EvalResult {
  std::string name;  // of the benchmark
  std::optional<int64_t> step;
  std::string checkpoint;
  std::string group;  // value of the field that the rows are grouped by; empty: not grouped
  int64_t num_problems = 0;
  std::optional<ResponseStatistics> greedy, sampled;

  // What stands for the set: the sampled responses, else the greedy ones.
  const ResponseStatistics& main() const { return sampled ? *sampled : *greedy; }
  int64_t num_failed() const;
};

// A result for each step, checkpoint and benchmark, in the order of their first rows.
std::vector<EvalResult> summarise(const std::vector<EvalRow>& rows,
                                  const std::vector<std::string>& reflection_words);

// The same for each value of the problems' field `field`, by value; rows without it are the group
// "-". Error(kUsage) naming the fields there are when no row has it.
std::vector<EvalResult> summarise_by(const std::vector<EvalRow>& rows, const std::string& field,
                                     const std::vector<std::string>& reflection_words);

}  // namespace covrl
