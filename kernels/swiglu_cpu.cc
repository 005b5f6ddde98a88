#include "kernels/swiglu_cpu.h"

#include "kernels/cpu_kernels.h"
#include "kernels/parallel.h"

namespace covrl::kernels {
namespace {

constexpr int64_t kElementsPerThread = 1 << 14;

}  // namespace

void swiglu_cpu(const float* gate, const float* up, int64_t count, float* y) {
  const CpuKernels& kernels = cpu_kernels();
  parallel_for(count, kElementsPerThread, [&](int64_t begin, int64_t end) {
    kernels.swiglu(gate + begin, up + begin, end - begin, y + begin);
  });
}

void swiglu_backward_cpu(const float* gate, const float* up, const float* grad_y, int64_t count,
                         float* grad_gate, float* grad_up) {
  const CpuKernels& kernels = cpu_kernels();
  parallel_for(count, kElementsPerThread, [&](int64_t begin, int64_t end) {
    kernels.swiglu_backward(gate + begin, up + begin, grad_y + begin, end - begin,
                            grad_gate + begin, grad_up + begin);
  });
}

}  // namespace covrl::kernels
