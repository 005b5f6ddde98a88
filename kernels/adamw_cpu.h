// The fused loop of adamw on the CPU.
#pragma once

#include <cstdint>

#include "kernels/adamw_scalars.h"

namespace covrl::kernels {

void adamw_range(float* param, const float* grad, float* exp_avg, float* exp_avg_sq, int64_t count,
                 const AdamwScalars& scalars);

}  // namespace covrl::kernels
