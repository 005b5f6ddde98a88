// Evaluation: the same path during training and in `covrl eval`. Draws depend on (seed, problem,
// sample) alone, not on the step, so that two evaluations of a run differ by the weights and
// nothing else.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/metrics.h"
#include "rl/run_config.h"
#include "rl/sampler.h"

namespace covrl {

struct EvalSet {
  std::string name;
  std::vector<Prompt> prompts;
};

struct EvalResult {
  std::string name;
  int64_t num_problems = 0;
  int64_t num_samples = 0;     // per problem; 0: greedy only
  double greedy = 0;           // accuracy of the greedy completions, when made
  double mean_at_k = 0;        // mean accuracy of the samples
  double pass_at_k = 0;        // share of problems with at least one right sample (k = all of them)
  double maj_at_k = 0;         // share of problems whose most frequent answer is right
  double low = 0, high = 0;    // 95 % bootstrap interval of mean_at_k over problems
  double mean_length = 0;      // tokens, of the samples (of the greedy ones when there are none)
  double parsed_share = 0;     // an answer was found
  double truncated_share = 0;  // reached the length limit
  double entropy = 0;          // nats, mean over sampled tokens
  int64_t num_failed = 0;      // rollout or verification failed: left out of every mean
};

class Evaluator {
 public:
  Evaluator(const EvalSection& config, std::vector<EvalSet> sets, SamplingParams base);

  // Collective. `groups`, when given, receives every completion (greedy last), set by set.
  std::vector<EvalResult> run(Sampler& sampler, int64_t weight_version,
                              std::vector<std::vector<Group>>* groups = nullptr) const;
  bool empty() const { return sets_.empty(); }
  const EvalSection& config() const { return config_; }

 private:
  EvalSection config_;
  std::vector<EvalSet> sets_;
  SamplingParams base_;
};

// The accuracy of a set that stands for it: val-core/SET/acc/mean@k, with no samples greedy.
std::string accuracy_metric(const std::string& set, const EvalSection& config);

// val-core/NAME/acc/{greedy,mean@k,pass@k} and
// val-aux/NAME/{length,parsed,truncated,entropy,failed}.
void add_eval_metrics(const EvalResult& result, const EvalSection& config, Metrics& metrics);

// What an evaluation wrote to metrics.jsonl at `step`, for the sets of `like`; empty when that step
// was not evaluated.
std::vector<EvalResult> read_eval_results(const std::string& metrics_path, int64_t step,
                                          const EvalSection& config,
                                          const std::vector<EvalResult>& like);

// Fixed-width table: a row per set, `after` beside `before` when given (matched by name).
std::string eval_table(const std::vector<EvalResult>& before, const std::vector<EvalResult>& after,
                       const EvalSection& config);

}  // namespace covrl
