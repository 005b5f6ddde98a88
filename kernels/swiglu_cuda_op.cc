#include <ATen/ATen.h>

#include "kernels/cuda_launch.h"
#include "kernels/cuda_ops.h"
#include "kernels/swiglu_cuda.h"

namespace covrl::kernels::cuda_ops {

at::Tensor swiglu(const at::Tensor& gate_TF, const at::Tensor& up_TF) {
  const at::Tensor gate = gate_TF.contiguous(), up = up_TF.contiguous(), y = at::empty_like(gate);
  const SwigluForward elements = {gate.const_data_ptr(), up.const_data_ptr(), y.data_ptr(),
                                  cuda_type(gate), gate.numel()};
  check_launch(swiglu_forward_cuda(elements, stream_of(gate)), "swiglu", gate);
  return y;
}

SwigluGradient swiglu_backward(const at::Tensor& gate_TF, const at::Tensor& up_TF,
                               const at::Tensor& grad_y_TF) {
  const at::Tensor gate = gate_TF.contiguous(), up = up_TF.contiguous(),
                   grad_y = grad_y_TF.contiguous();
  const SwigluGradient gradient = {at::empty_like(gate), at::empty_like(up)};
  const SwigluBackward elements = {gate.const_data_ptr(),
                                   up.const_data_ptr(),
                                   grad_y.const_data_ptr(),
                                   gradient.gate_TF.data_ptr(),
                                   gradient.up_TF.data_ptr(),
                                   cuda_type(gate),
                                   gate.numel()};
  check_launch(swiglu_backward_cuda(elements, stream_of(gate)), "swiglu's gradient", gate);
  return gradient;
}

}  // namespace covrl::kernels::cuda_ops
