// Runs the training runs of a sweep, each a process `covrl train` of its own.
//
// The sweep waits for signals alone: that a child has ended, or Ctrl-C. Children have process
// groups of their own, so that Ctrl-C reaches the sweep only. The first asks them to end at their
// next step, with a checkpoint, where no launcher stands between; the second kills them. They die
// with the sweep, however it ends.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "rl/sweep/sweep_plan.h"

namespace covrl {

struct SweepLaunch {
  int64_t jobs = 1;                 // side by side
  std::vector<std::string> prefix;  // words before `covrl train`, as mpirun -n 4
};

struct FailedRun {
  std::string dir;
  std::string reason;      // how the process ended
  std::string last_lines;  // of its log
};

struct SweepOutcome {
  std::vector<FailedRun> failed;  // in the order of their ends
  bool interrupted = false;
};

// Does what is not over, and says so on stderr. A failed run does not end the others; one that an
// alarm ended is none.
SweepOutcome run_all(const std::vector<PlannedRun>& plan, const SweepLaunch& launch);

}  // namespace covrl
