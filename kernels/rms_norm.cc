#include "kernels/rms_norm.h"

#include <ATen/ATen.h>

#include "core/error.h"
#include "kernels/check.h"
#include "kernels/cuda_ops.h"
#include "kernels/reference.h"
#include "kernels/rms_norm_cpu.h"

namespace covrl::kernels {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::Function;
using torch::autograd::variable_list;

RmsNormRows rows_of(const at::Tensor& x, const at::Tensor& weight, at::ScalarType type) {
  RmsNormRows rows;
  rows.x = x.const_data_ptr<float>();
  rows.weight = weight.const_data_ptr<float>();
  rows.rows = x.size(0);
  rows.width = x.size(1);
  rows.bfloat16 = type == at::kBFloat16;
  return rows;
}

// `inverse` [T] receives what the backward pass needs, if it is defined.
at::Tensor forward_cpu(const at::Tensor& x_TD, const at::Tensor& weight_D, double eps,
                       const at::Tensor& inverse_T) {
  const at::Tensor x = to_float(x_TD), weight = to_float(weight_D), y = at::empty_like(x);
  RmsNormRows rows = rows_of(x, weight, x_TD.scalar_type());
  rows.eps = static_cast<float>(eps);
  rows.y = y.data_ptr<float>();
  rows.inverse = inverse_T.defined() ? inverse_T.data_ptr<float>() : nullptr;
  rms_norm_cpu(rows);
  return y.to(x_TD.scalar_type());
}

struct RmsNormFunction : Function<RmsNormFunction> {
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& x, const at::Tensor& weight,
                            double eps) {
    const at::Tensor inverse = at::empty({x.size(0)}, x.options().dtype(at::kFloat));
    ctx->save_for_backward({x, weight});
    ctx->saved_data["inverse"] = inverse;
    return forward_cpu(x, weight, eps, inverse);
  }

  static variable_list backward(AutogradContext* ctx, const variable_list& grads) {
    check_first_derivative("rms_norm");
    const variable_list saved = ctx->get_saved_variables();
    const at::ScalarType type = saved[0].scalar_type();
    const at::Tensor x = to_float(saved[0]), weight = to_float(saved[1]),
                     grad_y = to_float(grads[0]);
    const at::Tensor grad_x = at::empty_like(x), grad_weight = at::empty_like(weight);
    RmsNormRows rows = rows_of(x, weight, type);
    rows.inverse = ctx->saved_data["inverse"].toTensor().data_ptr<float>();
    rows.grad_y = grad_y.const_data_ptr<float>();
    rows.grad_x = grad_x.data_ptr<float>();
    rows.grad_weight = grad_weight.data_ptr<float>();
    rms_norm_backward_cpu(rows);
    return {grad_x.to(type), grad_weight.to(type), at::Tensor()};
  }
};

}  // namespace

at::Tensor rms_norm(const at::Tensor& x_TD, const at::Tensor& weight_D, double eps) {
  check_input("rms_norm", "x", x_TD, 2);
  check_input("rms_norm", "weight", weight_D, 1);
  check_alike("rms_norm", "x", x_TD, "weight", weight_D);
  if (x_TD.size(1) == 0)
    throw_usage("rms_norm: x has shape ", x_TD.sizes(), ", expected a last axis that is not empty");
  check_shape("rms_norm", "weight", weight_D, {x_TD.size(1)});
  if (!(eps >= 0)) throw_usage("rms_norm: eps is ", eps, ", expected at least 0");
  const bool differentiated = wants_gradient({x_TD, weight_D});
  if (uses_reference(x_TD, Kernels::kCpuAndCuda) || (x_TD.is_cuda() && differentiated))
    return reference::rms_norm(x_TD, weight_D, eps);
  if (x_TD.is_cuda()) return cuda_ops::rms_norm(x_TD, weight_D, eps);
  if (!differentiated) return forward_cpu(x_TD, weight_D, eps, {});
  return RmsNormFunction::apply(x_TD, weight_D, eps);
}

}  // namespace covrl::kernels
