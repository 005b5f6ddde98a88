#include "kernels/linear_cpu.h"

#include <algorithm>

#include "kernels/gemm_cpu.h"
#include "kernels/parallel.h"

namespace covrl::kernels {

template <class Element>
void linear_cpu(LinearShape shape, const Element* x, const Element* weight, const float* bias,
                float* y) {
  matrix_product(MatrixProductOf<Element>{.a = {x, whole_words<Element>(shape.inputs), 1},
                                          .b = {weight, 1, shape.inputs},
                                          .c = y,
                                          .c_row_stride = shape.outputs,
                                          .bias = bias,
                                          .rows = shape.tokens,
                                          .columns = shape.outputs,
                                          .depth = shape.inputs});
}

template <class Element>
void linear_grad_x_cpu(LinearShape shape, const Element* grad_y, const Element* weight,
                       float* grad_x) {
  matrix_product(MatrixProductOf<Element>{.a = {grad_y, whole_words<Element>(shape.outputs), 1},
                                          .b = {weight, shape.inputs, 1},
                                          .c = grad_x,
                                          .c_row_stride = shape.inputs,
                                          .rows = shape.tokens,
                                          .columns = shape.inputs,
                                          .depth = shape.outputs});
}

template <class Element>
void linear_grad_weight_cpu(LinearShape shape, const Element* grad_y, const Element* x,
                            float* grad_weight) {
  matrix_product(MatrixProductOf<Element>{.a = {grad_y, 1, shape.outputs},
                                          .b = {x, shape.inputs, 1},
                                          .c = grad_weight,
                                          .c_row_stride = shape.inputs,
                                          .rows = shape.outputs,
                                          .columns = shape.inputs,
                                          .depth = shape.tokens});
}

template void linear_cpu(LinearShape, const float*, const float*, const float*, float*);
template void linear_cpu(LinearShape, const Bfloat16*, const Bfloat16*, const float*, float*);
template void linear_grad_x_cpu(LinearShape, const float*, const float*, float*);
template void linear_grad_x_cpu(LinearShape, const Bfloat16*, const Bfloat16*, float*);
template void linear_grad_weight_cpu(LinearShape, const float*, const float*, float*);
template void linear_grad_weight_cpu(LinearShape, const Bfloat16*, const Bfloat16*, float*);

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
