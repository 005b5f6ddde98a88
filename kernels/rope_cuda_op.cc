#include <ATen/ATen.h>

#include "kernels/cuda_launch.h"
#include "kernels/cuda_ops.h"
#include "kernels/rope_cuda.h"

namespace covrl::kernels::cuda_ops {

at::Tensor rope(const at::Tensor& x_THd, const at::Tensor& cos_Pd, const at::Tensor& sin_Pd,
                const at::Tensor& positions_T) {
  const at::Tensor x = x_THd.contiguous(), y = at::empty_like(x);
  const RopeForward heads = {x.const_data_ptr(),
                             y.data_ptr(),
                             cuda_type(x),
                             cos_Pd.const_data_ptr<float>(),
                             sin_Pd.const_data_ptr<float>(),
                             positions_T.const_data_ptr<int64_t>(),
                             x.size(0),
                             x.size(1),
                             x.size(2)};
  check_launch(rope_forward_cuda(heads, current_stream()), "rope", x);
  return y;
}

}  // namespace covrl::kernels::cuda_ops
