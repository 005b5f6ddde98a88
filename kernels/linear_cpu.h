// linear on the CPU, of float32 or bfloat16, summed in float32: y = x w^T + b and its gradients,
// all in float32.
#pragma once

#include <cstdint>

#include "kernels/bfloat16.h"

namespace covrl::kernels {

struct LinearShape {
  int64_t tokens, inputs, outputs;
};

// x [T,K], weight [N,K], bias [N] or null -> y [T,N]. A row of a bfloat16 x is padded to an even
// length with a finite number.
template <class Element>
void linear_cpu(LinearShape shape, const Element* x, const Element* weight, const float* bias,
                float* y);

// grad_x [T,K] = grad_y [T,N] weight. A row of a bfloat16 grad_y is padded like x above.
template <class Element>
void linear_grad_x_cpu(LinearShape shape, const Element* grad_y, const Element* weight,
                       float* grad_x);

// grad_weight [N,K] = grad_y^T x.
template <class Element>
void linear_grad_weight_cpu(LinearShape shape, const Element* grad_y, const Element* x,
                            float* grad_weight);

// grad_bias [N] = sum of grad_y over the tokens.
void linear_grad_bias_cpu(LinearShape shape, const float* grad_y, float* grad_bias);

}  // namespace covrl::kernels
