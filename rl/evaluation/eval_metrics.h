// What an evaluation leaves in metrics.jsonl (docs/metrics.md).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/metrics.h"
#include "rl/evaluation/eval_rules.h"
#include "rl/evaluation/eval_summary.h"

namespace covrl {

// The accuracy of a set that stands for it: val-core/SET/acc/mean@k, with no samples greedy.
std::string accuracy_metric(const std::string& set, const EvalRules& rules);

// val-core/SET/acc/{greedy,mean@k,pass@2,pass@4,...,pass@k,maj@k} and of the responses that stand
// for the set val-aux/SET/{length,parsed,boxed,truncated,reflection,degenerate,entropy,failed}. A
// statistic of nothing is left out.
void add_eval_metrics(const EvalResult& result, Metrics& metrics);

// Accuracies, pass@k and parsed share that an evaluation wrote to metrics.jsonl at `step`, for the
// sets of `like`; empty when that step was not evaluated.
std::vector<EvalResult> read_eval_results(const std::string& metrics_path, int64_t step,
                                          const std::vector<EvalResult>& like);

}  // namespace covrl
