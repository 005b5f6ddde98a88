#include "kernels/check.h"

#include <ATen/ATen.h>

#include "core/error.h"

namespace covrl::kernels {

void check_input(const char* op, const char* name, const at::Tensor& tensor, int64_t num_axes) {
  if (!tensor.defined()) throw_usage(op, ": ", name, " is undefined, expected a tensor");
  const at::ScalarType type = tensor.scalar_type();
  if (type != at::kFloat && type != at::kBFloat16 && type != at::kHalf && type != at::kDouble)
    throw_usage(op, ": ", name, " is ", type, ", expected float32, bfloat16, float16 or float64");
  if (tensor.dim() != num_axes)
    throw_usage(op, ": ", name, " has shape ", tensor.sizes(), ", expected ", num_axes, " axes");
}

void check_alike(const char* op, const char* first_name, const at::Tensor& first, const char* name,
                 const at::Tensor& other) {
  if (first.scalar_type() != other.scalar_type() || first.device() != other.device())
    throw_usage(op, ": ", name, " is ", other.scalar_type(), " on ", other.device(), ", expected ",
                first.scalar_type(), " on ", first.device(), " as ", first_name, " is");
}

void check_shape(const char* op, const char* name, const at::Tensor& tensor,
                 at::IntArrayRef expected) {
  if (tensor.sizes() != expected)
    throw_usage(op, ": ", name, " has shape ", tensor.sizes(), ", expected ", expected);
}

void check_integers(const char* op, const char* name, const at::Tensor& tensor, at::ScalarType type,
                    at::IntArrayRef shape, const at::Tensor& operand) {
  if (!tensor.defined() || tensor.scalar_type() != type || tensor.sizes() != shape) {
    if (!tensor.defined())
      throw_usage(op, ": ", name, " is undefined, expected ", type, " of shape ", shape);
    throw_usage(op, ": ", name, " is ", tensor.scalar_type(), " of shape ", tensor.sizes(),
                ", expected ", type, " of shape ", shape);
  }
  if (tensor.device() != operand.device())
    throw_usage(op, ": ", name, " is on ", tensor.device(), ", expected ", operand.device(),
                ", where its operands are");
}

void check_first_derivative(const char* op) {
  if (at::GradMode::is_enabled())
    throw_usage(op,
                ": no second derivative in float32 or bfloat16; use float64 or the reference mode");
}

bool wants_gradient(std::initializer_list<at::Tensor> inputs) {
  if (!at::GradMode::is_enabled()) return false;
  for (const at::Tensor& input : inputs) {
    if (input.defined() && input.requires_grad()) return true;
  }
  return false;
}

at::Tensor to_float(const at::Tensor& tensor) { return tensor.to(at::kFloat).contiguous(); }

}  // namespace covrl::kernels
