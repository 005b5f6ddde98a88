// linear on the CPU, float32: y = x w^T + b and its gradients.
#pragma once

#include <cstdint>

namespace covrl::kernels {

struct LinearShape {
  int64_t tokens, inputs, outputs;
};

// x [T,K], weight [N,K], bias [N] or null -> y [T,N].
void linear_cpu(LinearShape shape, const float* x, const float* weight, const float* bias,
                float* y);

// grad_x [T,K] = grad_y [T,N] weight.
void linear_grad_x_cpu(LinearShape shape, const float* grad_y, const float* weight, float* grad_x);

// grad_weight [N,K] = grad_y^T x.
void linear_grad_weight_cpu(LinearShape shape, const float* grad_y, const float* x,
                            float* grad_weight);

// grad_bias [N] = sum of grad_y over the tokens.
void linear_grad_bias_cpu(LinearShape shape, const float* grad_y, float* grad_bias);

}  // namespace covrl::kernels
