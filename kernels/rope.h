// Rotary position embedding (arXiv 2104.09864) in the half-split form of the Hugging Face models,
// with gradient.
#pragma once

#include <ATen/core/Tensor.h>

namespace covrl::kernels {

// x [T,H,d] (d even), cos and sin [P,d/2] float32 tables, positions [T] int64 < P -> [T,H,d]:
// y[..., i] = x[i] cos - x[i+d/2] sin;  y[..., i+d/2] = x[i+d/2] cos + x[i] sin,  for i < d/2.
at::Tensor rope(const at::Tensor& x_THd, const at::Tensor& cos_Pd, const at::Tensor& sin_Pd,
                const at::Tensor& positions_T);

}  // namespace covrl::kernels
