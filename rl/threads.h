// Cores of the machine divided among the processes of the run.
#pragma once

#include <cstdint>

namespace covrl {

// 0: hardware threads / processes on this machine, at least 1. Results do not depend on it.
void set_process_threads(int64_t num_threads);

}  // namespace covrl
