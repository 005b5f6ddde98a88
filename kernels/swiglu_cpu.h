// swiglu on the CPU, float32, elementwise.
#pragma once

#include <cstdint>

namespace covrl::kernels {

void swiglu_cpu(const float* gate, const float* up, int64_t count, float* y);
void swiglu_backward_cpu(const float* gate, const float* up, const float* grad_y, int64_t count,
                         float* grad_gate, float* grad_up);

}  // namespace covrl::kernels
