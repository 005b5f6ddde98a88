#include "kernels/rms_norm.h"

#include <ATen/ATen.h>
#include <ATen/record_function.h>

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
    ctx->save_for_backward({x, weight});
    if (x.is_cuda()) {
      const cuda_ops::NormalisedRows rows = cuda_ops::rms_norm(x, {}, weight, eps);
      ctx->saved_data["inverse"] = rows.inverse_T;
      return rows.y_TD;
    }
    const at::Tensor inverse = at::empty({x.size(0)}, x.options().dtype(at::kFloat));
    ctx->saved_data["inverse"] = inverse;
    return forward_cpu(x, weight, eps, inverse);
  }

  static variable_list backward(AutogradContext* ctx, const variable_list& grads) {
    check_first_derivative("rms_norm");
    const variable_list saved = ctx->get_saved_variables();
    if (saved[0].is_cuda()) {
      const cuda_ops::RmsNormGradient gradient = cuda_ops::rms_norm_backward(
          saved[0], saved[1], ctx->saved_data["inverse"].toTensor(), grads[0], {});
      return {gradient.x_TD, gradient.weight_D, at::Tensor()};
    }
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

// On a GPU. The sum has a gradient of its own, which joins that of the norm.
struct ResidualNormFunction : Function<ResidualNormFunction> {
  static variable_list forward(AutogradContext* ctx, const at::Tensor& x,
                               const at::Tensor& residual, const at::Tensor& weight, double eps) {
    const cuda_ops::NormalisedRows rows = cuda_ops::rms_norm(x, residual, weight, eps);
    ctx->save_for_backward({rows.sum_TD, weight});
    ctx->saved_data["inverse"] = rows.inverse_T;
    ctx->set_materialize_grads(false);
    return {rows.y_TD, rows.sum_TD};
  }

  static variable_list backward(AutogradContext* ctx, const variable_list& grads) {
    check_first_derivative("rms_norm_residual");
    if (!grads[0].defined()) return {grads[1], grads[1], at::Tensor(), at::Tensor()};
    const variable_list saved = ctx->get_saved_variables();
    const cuda_ops::RmsNormGradient gradient = cuda_ops::rms_norm_backward(
        saved[0], saved[1], ctx->saved_data["inverse"].toTensor(), grads[0], grads[1]);
    return {gradient.x_TD, gradient.x_TD, gradient.weight_D, at::Tensor()};
  }
};

void check_norm(const at::Tensor& x_TD, const at::Tensor& weight_D, double eps) {
  check_input("rms_norm", "x", x_TD, 2);
  check_input("rms_norm", "weight", weight_D, 1);
  check_alike("rms_norm", "x", x_TD, "weight", weight_D);
  if (x_TD.size(1) == 0)
    throw_usage("rms_norm: x has shape ", x_TD.sizes(), ", expected a last axis that is not empty");
  check_shape("rms_norm", "weight", weight_D, {x_TD.size(1)});
  if (!(eps >= 0)) throw_usage("rms_norm: eps is ", eps, ", expected at least 0");
}

}  // namespace

at::Tensor rms_norm(const at::Tensor& x_TD, const at::Tensor& weight_D, double eps) {
  RECORD_USER_SCOPE("rms_norm");
  check_norm(x_TD, weight_D, eps);
  if (uses_reference(x_TD, Kernels::kCpuAndCuda)) return reference::rms_norm(x_TD, weight_D, eps);
  if (wants_gradient({x_TD, weight_D})) return RmsNormFunction::apply(x_TD, weight_D, eps);
  return x_TD.is_cuda() ? cuda_ops::rms_norm(x_TD, {}, weight_D, eps).y_TD
                        : forward_cpu(x_TD, weight_D, eps, {});
}

ResidualNorm rms_norm_residual(const at::Tensor& x_TD, const at::Tensor& residual_TD,
                               const at::Tensor& weight_D, double eps) {
  RECORD_USER_SCOPE("rms_norm_residual");
  check_norm(x_TD, weight_D, eps);
  check_input("rms_norm", "residual", residual_TD, 2);
  check_alike("rms_norm", "x", x_TD, "residual", residual_TD);
  check_shape("rms_norm", "residual", residual_TD, x_TD.sizes());
  if (!x_TD.is_cuda() || uses_reference(x_TD, Kernels::kCpuAndCuda)) {
    const at::Tensor sum = x_TD + residual_TD;
    return {rms_norm(sum, weight_D, eps), sum};
  }
  if (wants_gradient({x_TD, residual_TD, weight_D})) {
    const variable_list outputs = ResidualNormFunction::apply(x_TD, residual_TD, weight_D, eps);
    return {outputs[0], outputs[1]};
  }
  const cuda_ops::NormalisedRows rows = cuda_ops::rms_norm(x_TD, residual_TD, weight_D, eps);
  return {rows.y_TD, rows.sum_TD};
}

}  // namespace covrl::kernels
