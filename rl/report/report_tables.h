// The tables of a report: accuracy before and after, and what entropy control left of the entropy.
#pragma once

#include <string>
#include <vector>

#include "rl/report/run_data.h"

namespace covrl {

struct ReportTable {
  std::string title;  // empty: no heading
  std::vector<std::string> columns;
  std::vector<std::vector<std::string>> rows;  // a cell for each column
  std::string note = {};                       // a sentence below it
};

// val-core/NAME/acc/WHAT -> "NAME, WHAT"
std::string accuracy_name(const std::string& metric);
// Metric names of `runs` that start with `prefix` and contain `part`, in order of first appearance.
std::vector<std::string> metric_names(const std::vector<RunData>& runs, const std::string& prefix,
                                      const std::string& part);

// First, last and best value (rl/evaluation/best_step.h) of every accuracy, the last two with their
// steps; mean and deviation where a run stands for several.
ReportTable accuracy_table(const std::vector<RunData>& runs);
// Of runs with evaluations: entropy at the start and the end, accuracy at the end, and the law
// R = -a e^H + b (entropy/ceiling.h) fitted to the run: a, b, R^2, ceiling, and the final accuracy
// that the first 15 % of the run predict (as many points as a fit needs at least) beside the actual
// one. Accuracy is the first sampled one.
ReportTable entropy_table(const std::vector<RunData>& runs);

// Empty text for a table without rows.
std::string to_html(const ReportTable& table);
std::string to_markdown(const ReportTable& table);
// Fixed width, without the title: the first column to the left, the others to the right.
std::string to_text(const ReportTable& table);

}  // namespace covrl
