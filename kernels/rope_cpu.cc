#include "kernels/rope_cpu.h"

#include "kernels/cpu_kernels.h"
#include "kernels/parallel.h"

namespace covrl::kernels {

void rope_cpu(RopeShape shape, const float* x, const float* cos, const float* sin,
              const int64_t* positions, Rotation rotation, float* y) {
  constexpr int64_t kElementsPerThread = 1 << 15;
  const CpuKernels& kernels = cpu_kernels();
  const int64_t width = shape.heads * shape.size, half = shape.size / 2;
  parallel_for(shape.tokens, kElementsPerThread / (width + 1) + 1, [&](int64_t begin, int64_t end) {
    for (int64_t token = begin; token < end; ++token) {
      kernels.rope(x + token * width, cos + positions[token] * half, sin + positions[token] * half,
                   shape.heads, shape.size, rotation == Rotation::kForward ? 1.0f : -1.0f,
                   y + token * width);
    }
  });
}

}  // namespace covrl::kernels
