// The fused loop of adamw on the CPU, and the sum that a gradient's norm is made of.
#pragma once

#include <cstdint>

#include "kernels/adamw_scalars.h"

namespace covrl::kernels {

void adamw_range(float* param, const float* grad, float* exp_avg, float* exp_avg_sq, int64_t count,
                 const AdamwScalars& scalars);

// In double: the same bits on every instruction set.
double sum_of_squares(const float* values, int64_t count);

}  // namespace covrl::kernels
