// Checks that the ops of this folder share. Each throws Error naming op, argument, what was seen
// and what is expected.
#pragma once

#include <ATen/core/Tensor.h>
#include <torch/csrc/autograd/custom_function.h>

namespace covrl::kernels {

// float32, bfloat16, float16 or float64 with `num_axes` axes.
void check_input(const char* op, const char* name, const at::Tensor& tensor, int64_t num_axes);

// Dtype and device of `other` are those of `first`.
void check_alike(const char* op, const char* first_name, const at::Tensor& first, const char* name,
                 const at::Tensor& other);

void check_shape(const char* op, const char* name, const at::Tensor& tensor,
                 at::IntArrayRef expected);

// An integer tensor of this shape, on the device of `operand`.
void check_integers(const char* op, const char* name, const at::Tensor& tensor, at::ScalarType type,
                    at::IntArrayRef shape, const at::Tensor& operand);

// The fast kernels have no second derivative: throws where a backward pass is itself being
// recorded.
void check_first_derivative(const char* op);

// True when autograd records this op, so that it must save what its backward pass needs.
bool wants_gradient(std::initializer_list<at::Tensor> inputs);

// Contiguous in float32: the tensor itself where it is so already.
at::Tensor to_float(const at::Tensor& tensor);

}  // namespace covrl::kernels
