// The k largest of a tensor's values, exactly, with ties that do not depend on order.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "kernels/token_ids.h"

namespace covrl {

// Places in the [T] tensors of the k largest values inside the mask, ascending; equal values by the
// smaller id. NaN comes after every number. All places of the mask when there are fewer than k.
std::vector<int64_t> top_k(const at::Tensor& values_T, const at::Tensor& mask_T,
                           const kernels::TokenIds& ids, int64_t k);

}  // namespace covrl
