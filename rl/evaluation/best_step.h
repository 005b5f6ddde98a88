// What a run has at its last step and at the best of its steps, told apart: the best one is chosen
// after the fact, and on the very sets that are reported its figures are too good.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "core/metrics.h"
#include "rl/evaluation/eval_summary.h"
#include "rl/report/report_tables.h"

namespace covrl {

struct StepAccuracy {
  int64_t step = 0;
  std::vector<std::pair<std::string, double>> sets;  // name and accuracy, in [0, 1]
};

// Of the steps at which every set was evaluated, in order of step.
std::vector<StepAccuracy> step_accuracies(const std::vector<EvalResult>& results);
// The same from metrics.jsonl; `metrics`: name of each set and of its accuracy.
std::vector<StepAccuracy> step_accuracies(
    const std::vector<std::pair<int64_t, Metrics>>& steps,
    const std::vector<std::pair<std::string, std::string>>& metrics);

// What "best" means everywhere: of the results (step, value), in order of step, the place of the
// highest value, the latest of equals; step 0, where nothing is learned yet, only when no other has
// a result. A value that is not finite is no result; where there is none at all, the last place.
size_t best_place(const std::vector<std::pair<int64_t, double>>& results);

// The best step by the average over the sets `choose_on` (empty: over all). Error(kUsage) for a
// set that was not evaluated.
const StepAccuracy& best_step(const std::vector<StepAccuracy>& steps,
                              const std::vector<std::string>& choose_on);

// A row for each step: the sets and their average.
ReportTable step_table(const std::vector<StepAccuracy>& steps);

struct LastAndBest {
  std::string text;  // a line each
  // That the best step was chosen on the sets that are reported. Empty when it was chosen on
  // others, or is the last.
  std::string warning;
};
LastAndBest last_and_best(const std::vector<StepAccuracy>& steps,
                          const std::vector<std::string>& choose_on);

}  // namespace covrl
