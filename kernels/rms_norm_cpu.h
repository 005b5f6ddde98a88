// rms_norm on the CPU, float32. The weight's gradient adds the tokens in order inside blocks of
// kTokenBlock, then the blocks.
#pragma once

#include "kernels/cpu_kernels.h"

namespace covrl::kernels {

void rms_norm_cpu(const RmsNormRows& rows);
void rms_norm_backward_cpu(const RmsNormRows& rows);

}  // namespace covrl::kernels
