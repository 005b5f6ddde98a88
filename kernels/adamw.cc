#include "kernels/adamw.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "core/error.h"
#include "kernels/adamw_cpu.h"
#include "kernels/cuda_ops.h"
#include "kernels/parallel.h"
#include "kernels/reference.h"
#include "kernels/reference_logprob.h"

namespace covrl::kernels {
namespace {

constexpr int64_t kGrain = 16384;  // elements a thread takes at least

void check_buffer(const char* name, const at::Tensor& buffer, const at::Tensor& param) {
  if (buffer.scalar_type() != at::kFloat || !buffer.is_contiguous() ||
      buffer.numel() != param.numel() || buffer.device() != param.device())
    throw_usage("adamw: ", name, " is ", buffer.scalar_type(), " of shape ", buffer.sizes(), " on ",
                buffer.device(), ", expected contiguous float32 with the ", param.numel(),
                " elements of param on ", param.device());
}

void check_step(const AdamwStep& step) {
  if (step.step < 1) throw_usage("adamw: step is ", step.step, ", expected 1 or more");
  for (const double beta : {step.beta1, step.beta2})
    if (!(beta >= 0 && beta < 1))
      throw_usage("adamw: a beta is ", beta, ", expected 0 <= beta < 1");
}

AdamwScalars scalars_of(const AdamwStep& step) {
  const double correction1 = 1 - std::pow(step.beta1, step.step);
  const double correction2 = 1 - std::pow(step.beta2, step.step);
  AdamwScalars scalars{};
  scalars.grad_scale = static_cast<float>(step.grad_scale);
  scalars.decay = static_cast<float>(1 - step.lr * step.weight_decay);
  scalars.beta1_complement = static_cast<float>(1 - step.beta1);
  scalars.beta2 = static_cast<float>(step.beta2);
  scalars.beta2_complement = static_cast<float>(1 - step.beta2);
  scalars.sqrt_correction2 = static_cast<float>(std::sqrt(correction2));
  scalars.eps = static_cast<float>(step.eps);
  scalars.negative_step = static_cast<float>(-step.lr / correction1);
  scalars.max_norm = step.max_norm;
  return scalars;
}

void check_optional(const AdamwTensors& tensors, const AdamwStep& step) {
  const at::Tensor &weights = tensors.weights, &norm = tensors.grad_norm;
  if (weights.defined() &&
      ((weights.scalar_type() != at::kBFloat16 && weights.scalar_type() != at::kHalf) ||
       !weights.is_contiguous() || weights.numel() != tensors.param.numel() ||
       weights.device() != tensors.param.device()))
    throw_usage("adamw: weights is ", weights.scalar_type(), " of shape ", weights.sizes(), " on ",
                weights.device(), ", expected contiguous bfloat16 or float16 with the ",
                tensors.param.numel(), " elements of param on ", tensors.param.device());
  if (norm.defined() && (norm.scalar_type() != at::kDouble || norm.numel() != 1 ||
                         norm.device() != tensors.param.device()))
    throw_usage("adamw: grad_norm is ", norm.scalar_type(), " of shape ", norm.sizes(), " on ",
                norm.device(), ", expected one float64 on ", tensors.param.device());
  if (norm.defined() != (step.max_norm > 0))
    throw_usage(
        "adamw: max_norm is ", step.max_norm, ", expected a number above 0 ",
        norm.defined() ? "where grad_norm is given" : "only where grad_norm is given, else 0");
}

double clipped_scale(double grad_scale, double max_norm, double norm) {
  return grad_scale * std::min(1.0, max_norm / (norm + kClipEpsilon));
}

void adamw_oracle(AdamwTensors tensors, AdamwStep step) {
  if (tensors.grad_norm.defined())
    step.grad_scale =
        clipped_scale(step.grad_scale, step.max_norm, tensors.grad_norm.item<double>());
  reference::adamw(tensors.param, tensors.grad, tensors.exp_avg, tensors.exp_avg_sq, step);
  if (tensors.weights.defined()) tensors.weights.copy_(tensors.param);
}

template <class T>
void round_range(const float* param, T* weights, int64_t count) {
  for (int64_t i = 0; i < count; ++i) weights[i] = static_cast<T>(param[i]);
}

void adamw_cpu(const AdamwTensors& tensors, AdamwScalars scalars) {
  if (tensors.grad_norm.defined())
    scalars.grad_scale = static_cast<float>(
        clipped_scale(scalars.grad_scale, scalars.max_norm, tensors.grad_norm.item<double>()));
  float* p = tensors.param.data_ptr<float>();
  const float* g = tensors.grad.const_data_ptr<float>();
  float* m = tensors.exp_avg.data_ptr<float>();
  float* v = tensors.exp_avg_sq.data_ptr<float>();
  const at::Tensor& weights = tensors.weights;
  parallel_for(tensors.param.numel(), kGrain, [&](int64_t begin, int64_t end) {
    for (int64_t first = begin; first < end; first += kGrain) {  // rounded while in the cache
      const int64_t count = std::min(kGrain, end - first);
      adamw_range(p + first, g + first, m + first, v + first, count, scalars);
      if (!weights.defined()) continue;
      if (weights.scalar_type() == at::kHalf)
        round_range(p + first, weights.data_ptr<at::Half>() + first, count);
      else
        round_range(p + first, weights.data_ptr<at::BFloat16>() + first, count);
    }
  });
}

}  // namespace

void adamw(const AdamwTensors& tensors, const AdamwStep& step) {
  check_buffer("param", tensors.param, tensors.param);
  check_buffer("grad", tensors.grad, tensors.param);
  check_buffer("exp_avg", tensors.exp_avg, tensors.param);
  check_buffer("exp_avg_sq", tensors.exp_avg_sq, tensors.param);
  check_optional(tensors, step);
  check_step(step);
  const at::NoGradGuard no_grad;
  if (uses_reference(tensors.param, Kernels::kCpuAndCuda)) return adamw_oracle(tensors, step);
  if (tensors.param.is_cuda()) return cuda_ops::adamw(tensors, scalars_of(step));
  adamw_cpu(tensors, scalars_of(step));
}

at::Tensor gradient_norm(const at::Tensor& grad) {
  check_buffer("grad", grad, grad);
  const at::NoGradGuard no_grad;
  if (uses_reference(grad, Kernels::kCpuAndCuda))
    return grad.to(at::kDouble).square().sum().sqrt().view({1});
  if (grad.is_cuda()) return cuda_ops::gradient_norm(grad);
  const int64_t count = grad.numel();
  const float* values = grad.const_data_ptr<float>();
  std::vector<double> squares(static_cast<size_t>((count + kGrain - 1) / kGrain));
  parallel_for(static_cast<int64_t>(squares.size()), 1, [&](int64_t begin, int64_t end) {
    for (int64_t part = begin; part < end; ++part)
      squares[static_cast<size_t>(part)] =
          sum_of_squares(values + part * kGrain, std::min(kGrain, count - part * kGrain));
  });
  double total = 0;
  for (const double square : squares) total += square;
  return at::full({1}, std::sqrt(total), at::kDouble);
}

}  // namespace covrl::kernels
