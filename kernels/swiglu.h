// silu(gate) * up, elementwise, with gradients.
#pragma once

#include <ATen/core/Tensor.h>

namespace covrl::kernels {

// gate, up [T,F] -> [T,F].
at::Tensor swiglu(const at::Tensor& gate_TF, const at::Tensor& up_TF);

}  // namespace covrl::kernels
