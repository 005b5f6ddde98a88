#include "kernels/linear_cpu.h"

#include <algorithm>

#include "kernels/gemm_cpu.h"
#include "kernels/parallel.h"

namespace covrl::kernels {

void linear_cpu(LinearShape shape, const float* x, const float* weight, const float* bias,
                float* y) {
  matrix_product({.a = {x, shape.inputs, 1},
                  .b = {weight, 1, shape.inputs},
                  .c = y,
                  .c_row_stride = shape.outputs,
                  .bias = bias,
                  .rows = shape.tokens,
                  .columns = shape.outputs,
                  .depth = shape.inputs});
}

void linear_grad_x_cpu(LinearShape shape, const float* grad_y, const float* weight, float* grad_x) {
  matrix_product({.a = {grad_y, shape.outputs, 1},
                  .b = {weight, shape.inputs, 1},
                  .c = grad_x,
                  .c_row_stride = shape.inputs,
                  .rows = shape.tokens,
                  .columns = shape.inputs,
                  .depth = shape.outputs});
}

void linear_grad_weight_cpu(LinearShape shape, const float* grad_y, const float* x,
                            float* grad_weight) {
  matrix_product({.a = {grad_y, 1, shape.outputs},
                  .b = {x, shape.inputs, 1},
                  .c = grad_weight,
                  .c_row_stride = shape.inputs,
                  .rows = shape.outputs,
                  .columns = shape.inputs,
                  .depth = shape.tokens});
}

void linear_grad_bias_cpu(LinearShape shape, const float* grad_y, float* grad_bias) {
  const CpuKernels& kernels = cpu_kernels();
  constexpr int64_t kColumnsPerThread = 256;
  parallel_for(shape.outputs, kColumnsPerThread, [&](int64_t begin, int64_t end) {
    std::fill(grad_bias + begin, grad_bias + end, 0.0f);
    for (int64_t token = 0; token < shape.tokens; token += kTokenBlock) {
      kernels.sum_rows(grad_y + token * shape.outputs + begin, shape.outputs,
                       std::min(kTokenBlock, shape.tokens - token), end - begin,
                       /*accumulate=*/token > 0, grad_bias + begin);
    }
  });
}

}  // namespace covrl::kernels
