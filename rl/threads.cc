#include "rl/threads.h"

#include <algorithm>
#include <thread>

#include "core/comm.h"
#include "kernels/mode.h"

namespace covrl {

void set_process_threads(int64_t num_threads) {
  const int cores = std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
  kernels::set_num_threads(num_threads > 0 ? static_cast<int>(num_threads)
                                           : std::max(1, cores / num_local_processes()));
}

}  // namespace covrl
