// N ranks as N threads of one process, to test collective code without mpirun.
//
// Threads: run_ranks starts one thread a rank and joins them all; they wait for each other only
// inside collective calls. A rank that throws wakes the others, whose pending calls then throw too;
// run_ranks rethrows the first failure.
#pragma once

#include <functional>

#include "core/comm.h"

namespace covrl::testing {

// Calls body(comm) on `num_ranks` threads, each with its own rank.
void run_ranks(int num_ranks, const std::function<void(Communicator&)>& body);

}  // namespace covrl::testing
