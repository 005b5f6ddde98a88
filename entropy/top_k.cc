#include "entropy/top_k.h"

#include <ATen/ATen.h>

#include "kernels/radix_select.h"

namespace covrl {

std::vector<int64_t> top_k(const at::Tensor& values_T, const at::Tensor& mask_T,
                           const kernels::TokenIds& ids, int64_t k) {
  const at::Tensor values = values_T.detach().to(at::kDouble).contiguous(),
                   mask = mask_T.contiguous();
  const std::vector<int64_t> column = ids.column();
  return kernels::radix_select(
      {values.const_data_ptr<double>(), mask.const_data_ptr<bool>(), column.data(), mask.numel()},
      k);
}

}  // namespace covrl
