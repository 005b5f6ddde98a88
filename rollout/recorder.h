// Sampled solutions of a run, to be read by people and by the report: samples.jsonl.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/step_log.h"
#include "rollout/types.h"

namespace covrl {

// A line a sample:
// {"step","id","index","sample","prompt","response","gold","extracted","outcome","reward","finish_reason",
// "num_tokens","mean_entropy","degenerate","weight_version"}. reward and mean_entropy are null
// where there is none; degenerate: rollout/degenerate_text.h.
class Recorder {
 public:
  // Appends to `path`. Lines of steps after `resume_step`, which will be made again, and a torn
  // last line are dropped first. Throws Error(kRuntime) when the file cannot be written.
  Recorder(const std::string& path, int64_t resume_step);

  // The first `limit` trajectories in order of group, then sample; all when negative. Groups of the
  // prompt `first_id` come before the others, so that one example can be followed. Flushed.
  void write(int64_t step, const std::vector<Group>& groups, int64_t limit,
             const std::string& first_id = "");

 private:
  StepLog log_;
};

}  // namespace covrl
