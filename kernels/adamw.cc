#include "kernels/adamw.h"

#include <ATen/ATen.h>

#include <cmath>

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
  return scalars;
}

}  // namespace

void adamw(at::Tensor& param, const at::Tensor& grad, at::Tensor& exp_avg, at::Tensor& exp_avg_sq,
           const AdamwStep& step) {
  check_buffer("param", param, param);
  check_buffer("grad", grad, param);
  check_buffer("exp_avg", exp_avg, param);
  check_buffer("exp_avg_sq", exp_avg_sq, param);
  check_step(step);
  const at::NoGradGuard no_grad;
  if (uses_reference(param, Kernels::kCpuAndCuda))
    return reference::adamw(param, grad, exp_avg, exp_avg_sq, step);
  const AdamwScalars scalars = scalars_of(step);
  if (param.is_cuda()) return cuda_ops::adamw(param, grad, exp_avg, exp_avg_sq, scalars);
  float* p = param.data_ptr<float>();
  const float* g = grad.const_data_ptr<float>();
  float* m = exp_avg.data_ptr<float>();
  float* v = exp_avg_sq.data_ptr<float>();
  parallel_for(param.numel(), kGrain, [&](int64_t begin, int64_t end) {
    adamw_range(p + begin, g + begin, m + begin, v + begin, end - begin, scalars);
  });
}

}  // namespace covrl::kernels
