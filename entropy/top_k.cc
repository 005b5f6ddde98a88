#include "entropy/top_k.h"

#include <ATen/ATen.h>

#include "kernels/radix_select.h"

namespace covrl {

std::vector<int64_t> top_k(const at::Tensor& values_T, const at::Tensor& mask_T,
                           const at::Tensor& token_id_T, int64_t k) {
  const at::Tensor values = values_T.detach().to(at::kDouble).contiguous(),
                   mask = mask_T.contiguous(), ids = token_id_T.to(at::kLong).contiguous();
  return kernels::radix_select({values.const_data_ptr<double>(), mask.const_data_ptr<bool>(),
                                ids.const_data_ptr<int64_t>(), mask.numel()},
                               k);
}

}  // namespace covrl
