#include "kernels/linear.h"

#include <ATen/ATen.h>

#include "kernels/check.h"
#include "kernels/linear_cpu.h"
#include "kernels/reference.h"

namespace covrl::kernels {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::Function;
using torch::autograd::variable_list;

LinearShape shape_of(const at::Tensor& x_TK, const at::Tensor& weight_NK) {
  return {x_TK.size(0), x_TK.size(1), weight_NK.size(0)};
}

at::Tensor forward_cpu(const at::Tensor& x_TK, const at::Tensor& weight_NK,
                       const at::Tensor& bias_N) {
  const at::Tensor x = to_float(x_TK), weight = to_float(weight_NK);
  const at::Tensor bias = bias_N.defined() ? to_float(bias_N) : at::Tensor();
  const at::Tensor y = at::empty({x.size(0), weight.size(0)}, x.options());
  linear_cpu(shape_of(x, weight), x.const_data_ptr<float>(), weight.const_data_ptr<float>(),
             bias.defined() ? bias.const_data_ptr<float>() : nullptr, y.data_ptr<float>());
  return y.to(x_TK.scalar_type());
}

struct LinearFunction : Function<LinearFunction> {
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& x, const at::Tensor& weight,
                            const std::optional<at::Tensor>& bias) {
    ctx->save_for_backward({x, weight});
    ctx->saved_data["has_bias"] = bias.has_value();
    return forward_cpu(x, weight, bias.value_or(at::Tensor()));
  }

  static variable_list backward(AutogradContext* ctx, const variable_list& grads) {
    check_first_derivative("linear");
    const variable_list saved = ctx->get_saved_variables();
    const at::Tensor grad_y = to_float(grads[0]), x = to_float(saved[0]),
                     weight = to_float(saved[1]);
    const at::ScalarType type = saved[0].scalar_type();
    const LinearShape shape = shape_of(x, weight);
    const float* grad = grad_y.const_data_ptr<float>();
    variable_list inputs(3);
    if (ctx->needs_input_grad(0)) {
      inputs[0] = at::empty_like(x);
      linear_grad_x_cpu(shape, grad, weight.const_data_ptr<float>(), inputs[0].data_ptr<float>());
    }
    if (ctx->needs_input_grad(1)) {
      inputs[1] = at::empty_like(weight);
      linear_grad_weight_cpu(shape, grad, x.const_data_ptr<float>(), inputs[1].data_ptr<float>());
    }
    if (ctx->saved_data["has_bias"].toBool() && ctx->needs_input_grad(2)) {
      inputs[2] = at::empty({shape.outputs}, x.options());
      linear_grad_bias_cpu(shape, grad, inputs[2].data_ptr<float>());
    }
    for (at::Tensor& gradient : inputs)
      gradient = gradient.defined() ? gradient.to(type) : gradient;
    return inputs;
  }
};

}  // namespace

at::Tensor linear(const at::Tensor& x_TK, const at::Tensor& weight_NK, const at::Tensor& bias_N) {
  check_input("linear", "x", x_TK, 2);
  check_input("linear", "weight", weight_NK, 2);
  check_alike("linear", "x", x_TK, "weight", weight_NK);
  check_shape("linear", "weight", weight_NK, {weight_NK.size(0), x_TK.size(1)});
  if (bias_N.defined()) {
    check_alike("linear", "x", x_TK, "bias", bias_N);
    check_shape("linear", "bias", bias_N, {weight_NK.size(0)});
  }
  if (uses_reference(x_TK)) return reference::linear(x_TK, weight_NK, bias_N);
  if (!wants_gradient({x_TK, weight_NK, bias_N})) return forward_cpu(x_TK, weight_NK, bias_N);
  // An undefined tensor is no variable of an autograd function; an empty optional is.
  const std::optional<at::Tensor> bias = bias_N.defined() ? std::optional(bias_N) : std::nullopt;
  return LinearFunction::apply(x_TK, weight_NK, bias);
}

}  // namespace covrl::kernels
