// What the complete runs of a sweep came to: mean and sample standard deviation over seeds.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/metrics.h"
#include "rl/report/report_tables.h"
#include "rl/sweep/sweep_config.h"

namespace covrl {

using MetricCurve = std::vector<std::pair<int64_t, Metrics>>;  // metrics.jsonl of a run

struct AlarmEnd {
  SweepRun run;
  int64_t step = 0;  // the last one made
};

struct VariantResult {
  SweepVariant variant;
  std::vector<SweepRun> runs;             // the complete ones
  std::vector<MetricCurve> curves;        // of each
  size_t num_wanted = 0;                  // runs, complete or not
  std::vector<AlarmEnd> alarm_ends = {};  // the runs that an alarm ended: in no mean
};

struct SweepResult {
  SweepSection section;
  std::vector<VariantResult> variants;
  std::vector<std::string> overrides = {};  // of the command line, for every variant
};

// Reads the run folders.
SweepResult read_results(const Sweep& sweep);

// Accuracy of a variant: its values before training, at the last step, and at the best evaluation
// (rl/evaluation/best_step.h) of each run by itself; a value for each run that has it.
struct AccuracyOfRuns {
  std::vector<double> before, last, best;
  std::vector<int64_t> best_steps;
};
AccuracyOfRuns accuracy_of(const VariantResult& result, const std::string& metric);

// Mean of a metric over the runs, at the steps where all have it.
std::vector<std::pair<double, double>> mean_curve(const VariantResult& result,
                                                  const std::string& metric);

// For each evaluated set but "train" the sampled accuracy, else the greedy one: metric names.
std::vector<std::string> headline_metrics(const SweepResult& result);

// A row a variant: accuracy on each set before, at the last step and at the best evaluation.
ReportTable headline_table(const SweepResult& result);
// A row a variant: reward, entropy and length of the last training step.
ReportTable training_table(const SweepResult& result);
// A row a variant, set and measure.
ReportTable measures_table(const SweepResult& result);
// What a reader must know about the tables: seeds, what is missing, how the best was chosen.
std::vector<std::string> result_notes(const SweepResult& result);

}  // namespace covrl
