#include "kernels/mode.h"

#include <ATen/Parallel.h>

#include <atomic>

#include "core/error.h"

namespace covrl::kernels {
namespace {

std::atomic<Mode> current_mode{Mode::kFast};

}  // namespace

void set_mode(Mode mode) { current_mode = mode; }

Mode mode() { return current_mode; }

void set_num_threads(int num_threads) {
  if (num_threads < 1) throw_usage("number of threads is ", num_threads, ", expected at least 1");
  at::set_num_threads(num_threads);
}

}  // namespace covrl::kernels
