// rope on the CPU, float32.
#pragma once

#include <cstdint>

namespace covrl::kernels {

enum class Rotation { kForward, kBack };  // the gradient is the rotation back

struct RopeShape {
  int64_t tokens, heads, size;
};

// x, y [T,H,d]; cos, sin [P,d/2]; positions [T] < P.
void rope_cpu(RopeShape shape, const float* x, const float* cos, const float* sin,
              const int64_t* positions, Rotation rotation, float* y);

}  // namespace covrl::kernels
