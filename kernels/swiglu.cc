#include "kernels/swiglu.h"

#include <ATen/ATen.h>
#include <ATen/record_function.h>

#include "kernels/check.h"
#include "kernels/cuda_ops.h"
#include "kernels/reference.h"
#include "kernels/swiglu_cpu.h"

namespace covrl::kernels {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::Function;
using torch::autograd::variable_list;

at::Tensor forward_cpu(const at::Tensor& gate_TF, const at::Tensor& up_TF) {
  const at::Tensor gate = to_float(gate_TF), up = to_float(up_TF), y = at::empty_like(gate);
  swiglu_cpu(gate.const_data_ptr<float>(), up.const_data_ptr<float>(), gate.numel(),
             y.data_ptr<float>());
  return y.to(gate_TF.scalar_type());
}

struct SwigluFunction : Function<SwigluFunction> {
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& gate, const at::Tensor& up) {
    ctx->save_for_backward({gate, up});
    return gate.is_cuda() ? cuda_ops::swiglu(gate, up) : forward_cpu(gate, up);
  }

  static variable_list backward(AutogradContext* ctx, const variable_list& grads) {
    check_first_derivative("swiglu");
    const variable_list saved = ctx->get_saved_variables();
    if (saved[0].is_cuda()) {
      const cuda_ops::SwigluGradient gradient =
          cuda_ops::swiglu_backward(saved[0], saved[1], grads[0]);
      return {gradient.gate_TF, gradient.up_TF};
    }
    const at::ScalarType type = saved[0].scalar_type();
    const at::Tensor gate = to_float(saved[0]), up = to_float(saved[1]),
                     grad_y = to_float(grads[0]);
    const at::Tensor grad_gate = at::empty_like(gate), grad_up = at::empty_like(up);
    swiglu_backward_cpu(gate.const_data_ptr<float>(), up.const_data_ptr<float>(),
                        grad_y.const_data_ptr<float>(), gate.numel(), grad_gate.data_ptr<float>(),
                        grad_up.data_ptr<float>());
    return {grad_gate.to(type), grad_up.to(type)};
  }
};

}  // namespace

at::Tensor swiglu(const at::Tensor& gate_TF, const at::Tensor& up_TF) {
  RECORD_USER_SCOPE("swiglu");
  check_input("swiglu", "gate", gate_TF, 2);
  check_input("swiglu", "up", up_TF, 2);
  check_alike("swiglu", "gate", gate_TF, "up", up_TF);
  check_shape("swiglu", "up", up_TF, gate_TF.sizes());
  if (uses_reference(gate_TF, Kernels::kCpuAndCuda)) return reference::swiglu(gate_TF, up_TF);
  if (!wants_gradient({gate_TF, up_TF}))
    return gate_TF.is_cuda() ? cuda_ops::swiglu(gate_TF, up_TF) : forward_cpu(gate_TF, up_TF);
  return SwigluFunction::apply(gate_TF, up_TF);
}

}  // namespace covrl::kernels
