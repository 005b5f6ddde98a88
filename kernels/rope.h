// Rotary position embedding (arXiv 2104.09864) in the half-split form of the Hugging Face models,
// with gradient.
#pragma once

#include <ATen/core/Tensor.h>

#include "kernels/attention.h"

namespace covrl::kernels {

// x [T,H,d] (d even), cos and sin [P,d/2] float32 tables, positions [T] int64 < P -> [T,H,d]:
// y[..., i] = x[i] cos - x[i+d/2] sin;  y[..., i+d/2] = x[i+d/2] cos + x[i] sin,  for i < d/2.
// Positions are checked on the CPU only: reading them from a GPU would wait for it.
struct RopePlaces {
  at::Tensor cos_Pd;
  at::Tensor sin_Pd;
  at::Tensor positions_T;
};
at::Tensor rope(const at::Tensor& x_THd, const RopePlaces& places);

// write_cache (attention.h) of the rotated k and of v [T,H,d]: one pass on a GPU. No gradient.
void rope_into_cache(PagedCache& cache, const at::Tensor& k_THd, const at::Tensor& v_THd,
                     const at::Tensor& slots_T, const RopePlaces& places);

}  // namespace covrl::kernels
