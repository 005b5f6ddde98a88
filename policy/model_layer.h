// One layer's parameters by role; private to the model.
#pragma once

#include <ATen/core/Tensor.h>

#include "kernels/linear.h"
#include "policy/model.h"

namespace covrl {

struct Projection {
  at::Tensor weight_NK;
  at::Tensor bias_N;  // undefined: none

  at::Tensor operator()(const at::Tensor& x_TK) const {
    return kernels::linear(x_TK, weight_NK, bias_N);
  }
};

struct Model::Layer {
  at::Tensor input_norm_D;
  Projection q, k, v, o;
  at::Tensor mlp_norm_D;
  Projection gate, up, down;
};

}  // namespace covrl
