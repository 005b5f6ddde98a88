#include <ATen/ATen.h>

#include "kernels/adamw_cuda.h"
#include "kernels/cuda_launch.h"
#include "kernels/cuda_ops.h"

namespace covrl::kernels::cuda_ops {

void adamw(at::Tensor& param, const at::Tensor& grad, at::Tensor& exp_avg, at::Tensor& exp_avg_sq,
           const AdamwScalars& scalars) {
  const AdamwBuffers buffers = {param.data_ptr<float>(), grad.const_data_ptr<float>(),
                                exp_avg.data_ptr<float>(), exp_avg_sq.data_ptr<float>(),
                                param.numel()};
  check_launch(adamw_cuda(buffers, scalars, current_stream()), "adamw", param);
}

}  // namespace covrl::kernels::cuda_ops
