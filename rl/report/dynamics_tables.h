// The tables of a report about what happened during training: what went on after saturation, and
// the alarms.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "rl/report/report_tables.h"
#include "rl/report/run_data.h"

namespace covrl {

// When the run (or the mean of several) saturated (rl/saturation.h); none when it did not, or is
// not at its end.
std::optional<int64_t> saturated_since(const RunData& run, double accuracy);

// The shares of degenerate responses and whose they are: {"rollout/degenerate", "in training"}, and
// of each evaluated set {"val-aux/SET/degenerate", "SET"}.
std::vector<std::pair<std::string, std::string>> degenerate_metrics(
    const std::vector<RunData>& runs);

// Of runs that are saturated at their end: every sampled accuracy (greedy where there is none),
// training accuracy, entropy, response length and shares of degenerate responses when the run
// saturated, at the end, and by how much they moved; of accuracies also the best since then.
ReportTable saturation_table(const std::vector<RunData>& runs, double accuracy);

// A row for each line of alarms.jsonl.
ReportTable alarm_table(const std::vector<RunData>& runs);

}  // namespace covrl
