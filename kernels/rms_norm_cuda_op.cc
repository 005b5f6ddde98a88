#include <ATen/ATen.h>

#include "kernels/cuda_launch.h"
#include "kernels/cuda_ops.h"
#include "kernels/rms_norm_cuda.h"

namespace covrl::kernels::cuda_ops {

at::Tensor rms_norm(const at::Tensor& x_TD, const at::Tensor& weight_D, double eps) {
  const at::Tensor x = x_TD.contiguous(), weight = weight_D.contiguous(), y = at::empty_like(x);
  const RmsNormForward rows = {
      x.const_data_ptr(), weight.const_data_ptr(), y.data_ptr(), cuda_type(x), x.size(0),
      x.size(1),          static_cast<float>(eps)};
  check_launch(rms_norm_forward_cuda(rows, current_stream()), "rms_norm", x);
  return y;
}

}  // namespace covrl::kernels::cuda_ops
