// What is left to do of a sweep: which of its runs are complete, half done or not begun.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "rl/sweep/sweep_config.h"

namespace covrl {

enum class RunState {
  kNew,
  kResumes,       // has a checkpoint
  kStartsAnew,    // began, but left no checkpoint: moved aside
  kComplete,      // has the metrics and the checkpoint of its last step
  kEndedByAlarm,  // stopped or rolled back before it, as would happen again
};

struct RunProgress {
  RunState state = RunState::kNew;
  int64_t step = 0;  // of the checkpoint; kEndedByAlarm: the last one made
  bool is_over() const { return state == RunState::kComplete || state == RunState::kEndedByAlarm; }
};

// Looks into the run folder.
RunProgress progress_of(const SweepRun& run);

struct PlannedRun {
  SweepRun run;
  RunProgress progress;
};

// Each run folder once, in the order of the sweeps, which may share runs. Error(kUsage) naming the
// keys where a folder holds, or two sweeps want of it, a run of another configuration; keys that
// change neither results nor tables are not compared (may_change_on_resume, but for eval. and
// trainer.total_steps). Alarms are where one can end a run: a run that may be ended is not that of
// a folder without, while a run that an alarm ended goes on when none can any more.
std::vector<PlannedRun> plan_runs(const std::vector<Sweep>& sweeps);

}  // namespace covrl
