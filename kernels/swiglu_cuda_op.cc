#include <ATen/ATen.h>

#include "kernels/cuda_launch.h"
#include "kernels/cuda_ops.h"
#include "kernels/swiglu_cuda.h"

namespace covrl::kernels::cuda_ops {

at::Tensor swiglu(const at::Tensor& gate_TF, const at::Tensor& up_TF) {
  const at::Tensor gate = gate_TF.contiguous(), up = up_TF.contiguous(), y = at::empty_like(gate);
  const SwigluForward elements = {gate.const_data_ptr(), up.const_data_ptr(), y.data_ptr(),
                                  cuda_type(gate), gate.numel()};
  check_launch(swiglu_forward_cuda(elements, current_stream()), "swiglu", gate);
  return y;
}

}  // namespace covrl::kernels::cuda_ops
