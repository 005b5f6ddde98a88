// How often each training example was solved in the course of a run: example_accuracy.jsonl, from
// which examples are chosen (covrl select).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/step_log.h"
#include "rollout/types.h"

namespace covrl {

// A line for each example that a step sampled: {"step","id","correct","counted"}. Copies of an
// example are added up; completions whose sampling or verification failed are not counted.
class ExampleLog {
 public:
  ExampleLog(const std::string& path, int64_t resume_step) : log_(path, resume_step) {}
  void write(int64_t step, const std::vector<Group>& groups);

 private:
  StepLog log_;
};

struct ExampleHistory {
  std::string id;
  std::vector<double> accuracy;  // at each time it was seen
};

// Examples in the order of their first appearance. `path`: a run folder, its example_accuracy.jsonl
// (lines count in order of their steps, whatever their order in the file; times of which nothing
// was counted are left out), or the published form of arXiv 2504.20571, {"id": [accuracy, ...],
// ...}. Error(kUsage) naming file, line or id, and the value seen; for an example that has a step
// twice as well.
std::vector<ExampleHistory> read_example_histories(const std::string& path);

}  // namespace covrl
