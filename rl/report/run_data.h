// What a run folder holds, for pages about runs; several runs of one setting (seeds) count as one,
// by the mean of their metrics.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "core/jsonl.h"
#include "core/metrics.h"

namespace covrl {

struct RunData {
  std::string name;
  std::vector<std::string> dirs;
  std::vector<std::pair<int64_t, Metrics>> metrics;  // by step: the mean over the runs
  // The sample standard deviation over the runs, in the same places; 0 for one run.
  std::vector<std::pair<int64_t, Metrics>> spread;
  std::vector<Json> samples;       // training completions of the first run
  std::vector<Json> eval_samples;  // of its first and last evaluation
  std::vector<Json> alarms;        // of the first run: the lines of alarms.jsonl
  std::string config;              // of the first run
};

// `argument`: DIR, or NAME=DIR[,DIR...] for runs that belong together: the steps and metrics that
// all of them have. Error(kUsage) naming what is missing.
RunData read_run(const std::string& argument);

}  // namespace covrl
