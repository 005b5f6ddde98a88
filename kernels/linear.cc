#include "kernels/linear.h"

#include <ATen/ATen.h>
#include <ATen/record_function.h>

#include "kernels/check.h"
#include "kernels/elements.h"
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

// The left operand of a product over its columns: rows of bfloat16 have an even length there.
at::Tensor left_operand(const at::Tensor& matrix) {
  const at::Tensor stored = to_element(matrix);
  const bool odd = stored.scalar_type() == at::kBFloat16 && stored.size(1) % 2 == 1;
  return odd ? at::constant_pad_nd(stored, {0, 1}) : stored;
}

at::Tensor forward_cpu(const at::Tensor& x_TK, const at::Tensor& weight_NK,
                       const at::Tensor& bias_N) {
  const at::Tensor x = left_operand(x_TK), weight = to_element(weight_NK);
  const at::Tensor bias = bias_N.defined() ? to_float(bias_N) : at::Tensor();
  const at::Tensor y = at::empty({x.size(0), weight.size(0)}, at::kFloat);
  with_element(x, [&]<class Element>(Element) {
    linear_cpu(shape_of(x_TK, weight), elements<Element>(x), elements<Element>(weight),
               bias.defined() ? bias.const_data_ptr<float>() : nullptr, y.data_ptr<float>());
  });
  return y;
}

at::Tensor grad_x_cpu(const LinearShape& shape, const at::Tensor& grad_y,
                      const at::Tensor& weight) {
  const at::Tensor left = left_operand(grad_y), right = to_element(weight);
  const at::Tensor grad_x = at::empty({shape.tokens, shape.inputs}, at::kFloat);
  with_element(left, [&]<class Element>(Element) {
    linear_grad_x_cpu(shape, elements<Element>(left), elements<Element>(right),
                      grad_x.data_ptr<float>());
  });
  return grad_x;
}

at::Tensor grad_weight_cpu(const LinearShape& shape, const at::Tensor& grad_y,
                           const at::Tensor& x) {
  const at::Tensor left = to_element(grad_y), right = to_element(x);
  const at::Tensor grad_weight = at::empty({shape.outputs, shape.inputs}, at::kFloat);
  with_element(left, [&]<class Element>(Element) {
    linear_grad_weight_cpu(shape, elements<Element>(left), elements<Element>(right),
                           grad_weight.data_ptr<float>());
  });
  return grad_weight;
}

at::Tensor grad_bias_cpu(const LinearShape& shape, const at::Tensor& grad_y) {
  const at::Tensor grad_bias = at::empty({shape.outputs}, at::kFloat);
  linear_grad_bias_cpu(shape, to_float(grad_y).const_data_ptr<float>(),
                       grad_bias.data_ptr<float>());
  return grad_bias;
}

struct LinearFunction : Function<LinearFunction> {
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& x, const at::Tensor& weight,
                            const std::optional<at::Tensor>& bias) {
    ctx->save_for_backward({x, weight});
    ctx->saved_data["has_bias"] = bias.has_value();
    return forward_cpu(x, weight, bias.value_or(at::Tensor())).to(x.scalar_type());
  }

  static variable_list backward(AutogradContext* ctx, const variable_list& grads) {
    check_first_derivative("linear");
    const variable_list saved = ctx->get_saved_variables();
    const at::ScalarType type = saved[0].scalar_type();
    const LinearShape shape = shape_of(saved[0], saved[1]);
    variable_list inputs(3);
    if (ctx->needs_input_grad(0)) inputs[0] = grad_x_cpu(shape, grads[0], saved[1]);
    if (ctx->needs_input_grad(1)) inputs[1] = grad_weight_cpu(shape, grads[0], saved[0]);
    if (ctx->saved_data["has_bias"].toBool() && ctx->needs_input_grad(2))
      inputs[2] = grad_bias_cpu(shape, grads[0]);
    for (at::Tensor& gradient : inputs)
      gradient = gradient.defined() ? gradient.to(type) : gradient;
    return inputs;
  }
};

// cuBLAS, on the storage as it is; its sums are in float32 (policy/device.cc asks for it).
at::Tensor on_cuda(const at::Tensor& x_TK, const at::Tensor& weight_NK, const at::Tensor& bias_N) {
  return at::linear(x_TK, weight_NK, bias_N.defined() ? std::optional(bias_N) : std::nullopt);
}

void check_operands(const at::Tensor& x_TK, const at::Tensor& weight_NK) {
  check_input("linear", "x", x_TK, 2);
  check_input("linear", "weight", weight_NK, 2);
  check_alike("linear", "x", x_TK, "weight", weight_NK);
  check_shape("linear", "weight", weight_NK, {weight_NK.size(0), x_TK.size(1)});
}

}  // namespace

at::Tensor linear(const at::Tensor& x_TK, const at::Tensor& weight_NK, const at::Tensor& bias_N) {
  RECORD_USER_SCOPE("linear");
  check_operands(x_TK, weight_NK);
  if (bias_N.defined()) {
    check_alike("linear", "x", x_TK, "bias", bias_N);
    check_shape("linear", "bias", bias_N, {weight_NK.size(0)});
  }
  if (uses_reference(x_TK, Kernels::kCpuAndCuda)) return reference::linear(x_TK, weight_NK, bias_N);
  if (x_TK.is_cuda()) return on_cuda(x_TK, weight_NK, bias_N);
  if (!wants_gradient({x_TK, weight_NK, bias_N}))
    return forward_cpu(x_TK, weight_NK, bias_N).to(x_TK.scalar_type());
  // An undefined tensor is no variable of an autograd function; an empty optional is.
  const std::optional<at::Tensor> bias = bias_N.defined() ? std::optional(bias_N) : std::nullopt;
  return LinearFunction::apply(x_TK, weight_NK, bias);
}

at::Tensor linear_float32(const at::Tensor& x_TK, const at::Tensor& weight_NK) {
  RECORD_USER_SCOPE("linear");
  check_operands(x_TK, weight_NK);
  const at::NoGradGuard no_grad;
  if (!uses_reference(x_TK)) return forward_cpu(x_TK, weight_NK, at::Tensor());
  const at::ScalarType wide = x_TK.scalar_type() == at::kDouble ? at::kDouble : at::kFloat;
  return reference::linear(x_TK.to(wide), weight_NK.to(wide)).to(at::kFloat);
}

}  // namespace covrl::kernels
