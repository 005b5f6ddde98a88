#include "kernels/token_policy_loss.h"

#include <ATen/ATen.h>
#include <ATen/record_function.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <vector>

#include "core/error.h"
#include "kernels/check.h"
#include "kernels/cuda_ops.h"
#include "kernels/mode.h"
#include "kernels/parallel.h"
#include "kernels/reference_policy_loss.h"
#include "kernels/token_policy_loss_cpu.h"

namespace covrl::kernels {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::Function;
using torch::autograd::variable_list;

constexpr const char* kOp = "token_policy_loss";
constexpr int64_t kGrain = 4;  // blocks a thread takes at least

void check_flags(const char* name, const at::Tensor& flags, const at::Tensor& like) {
  if (flags.scalar_type() != at::kBool || flags.sizes() != like.sizes() ||
      flags.device() != like.device())
    throw_usage(kOp, ": ", name, " is ", flags.scalar_type(), " of shape ", flags.sizes(), " on ",
                flags.device(), ", expected bool of shape ", like.sizes(), " on ", like.device());
}

void check_values(const char* name, const at::Tensor& values, const at::Tensor& logprob_T) {
  if (!values.defined()) throw_usage(kOp, ": ", name, " is undefined, expected a tensor");
  check_alike(kOp, "logprob", logprob_T, name, values);
  check_shape(kOp, name, values, logprob_T.sizes());
}

void check(const TokenPolicyLossInput& input, const PolicyLossTerms& terms) {
  check_input(kOp, "logprob", input.logprob_T, 1);
  check_values("entropy", input.entropy_T, input.logprob_T);
  check_values("old_logprob", input.old_logprob_T, input.logprob_T);
  check_values("advantage", input.advantage_T, input.logprob_T);
  if (terms.kl != 0) check_values("ref_logprob", input.ref_logprob_T, input.logprob_T);
  if (input.rollout_weight_T.defined())
    check_values("rollout_weight", input.rollout_weight_T, input.logprob_T);
  check_flags("mask", input.mask_T, input.logprob_T);
  if (input.dropped_T.defined()) check_flags("dropped", input.dropped_T, input.logprob_T);
  if (input.pulled_T.defined()) check_flags("pulled", input.pulled_T, input.logprob_T);
  check_shape(kOp, "weight", input.weight_T, input.logprob_T.sizes());
  if (input.weight_T.scalar_type() != at::kDouble ||
      input.weight_T.device() != input.logprob_T.device())
    throw_usage(kOp, ": weight is ", input.weight_T.scalar_type(), " on ", input.weight_T.device(),
                ", expected float64 on ", input.logprob_T.device());
}

// Contiguous, and without what the terms do not read.
TokenPolicyLossInput prepared(const TokenPolicyLossInput& input, const PolicyLossTerms& terms) {
  TokenPolicyLossInput result = input;
  if (terms.kl == 0) result.ref_logprob_T = at::Tensor();
  if (terms.pull == 0) result.pulled_T = at::Tensor();
  for (at::Tensor TokenPolicyLossInput::*member :
       {&TokenPolicyLossInput::logprob_T, &TokenPolicyLossInput::entropy_T,
        &TokenPolicyLossInput::old_logprob_T, &TokenPolicyLossInput::advantage_T,
        &TokenPolicyLossInput::mask_T, &TokenPolicyLossInput::weight_T,
        &TokenPolicyLossInput::ref_logprob_T, &TokenPolicyLossInput::rollout_weight_T,
        &TokenPolicyLossInput::dropped_T, &TokenPolicyLossInput::pulled_T})
    if ((result.*member).defined()) result.*member = (result.*member).contiguous();
  return result;
}

using Gradients = cuda_ops::PolicyLossGradients;  // undefined: not wanted

template <class T>
const T* pointer(const at::Tensor& values, int64_t offset) {
  return values.defined() ? values.const_data_ptr<T>() + offset : nullptr;
}

template <class Real>
PolicyLossRange<Real> range_of(const TokenPolicyLossInput& input, Gradients& gradients,
                               int64_t begin, int64_t count) {
  PolicyLossRange<Real> range;
  range.logprob = pointer<Real>(input.logprob_T, begin);
  range.old_logprob = pointer<Real>(input.old_logprob_T, begin);
  range.advantage = pointer<Real>(input.advantage_T, begin);
  range.entropy = pointer<Real>(input.entropy_T, begin);
  range.ref_logprob = pointer<Real>(input.ref_logprob_T, begin);
  range.rollout_weight = pointer<Real>(input.rollout_weight_T, begin);
  range.mask = pointer<bool>(input.mask_T, begin);
  range.dropped = pointer<bool>(input.dropped_T, begin);
  range.pulled = pointer<bool>(input.pulled_T, begin);
  range.weight = pointer<double>(input.weight_T, begin);
  if (gradients.logprob_T.defined())
    range.grad_logprob = gradients.logprob_T.data_ptr<Real>() + begin;
  if (gradients.entropy_T.defined())
    range.grad_entropy = gradients.entropy_T.data_ptr<Real>() + begin;
  range.count = count;
  return range;
}

// The exponentials of a thread's blocks, taken by the tensor library as the oracle's are.
template <class Real>
class Exponentials {
 public:
  Exponentials(const TokenPolicyLossInput& input, const PolicyLossTerms& terms) {
    const std::array<bool, kNumPolicyLossExponents> needed = {
        true, input.pulled_T.defined() && terms.pull_penalty == LogprobPenalty::kK3,
        input.ref_logprob_T.defined() && terms.kl_penalty == LogprobPenalty::kK3};
    buffer_ = at::empty({std::count(needed.begin(), needed.end(), true), kPolicyLossBlock},
                        input.logprob_T.options().requires_grad(false));
    Real* next = buffer_.template data_ptr<Real>();
    for (size_t row = 0; row < needed.size(); ++row) {
      if (!needed[row]) continue;
      exponents_.rows[row] = next;
      next += kPolicyLossBlock;
    }
  }

  const PolicyLossExponents<Real>& of(const PolicyLossRange<Real>& range) {
    policy_loss_exponents(range, exponents_);
    buffer_.narrow(1, 0, range.count).exp_();
    return exponents_;
  }

 private:
  at::Tensor buffer_;
  PolicyLossExponents<Real> exponents_;
};

template <class Real>
at::Tensor run(const TokenPolicyLossInput& input, const PolicyLossTerms& terms,
               Gradients& gradients) {
  const int64_t num_tokens = input.logprob_T.numel();
  const int64_t num_blocks = (num_tokens + kPolicyLossBlock - 1) / kPolicyLossBlock;
  std::vector<PolicyLossSums> parts(static_cast<size_t>(num_blocks));
  parallel_for(num_blocks, kGrain, [&](int64_t first, int64_t last) {
    const at::NoGradGuard no_grad;
    Exponentials<Real> exponentials(input, terms);
    for (int64_t block = first; block < last; ++block) {
      const int64_t begin = block * kPolicyLossBlock;
      const PolicyLossRange<Real> range =
          range_of<Real>(input, gradients, begin, std::min(kPolicyLossBlock, num_tokens - begin));
      parts[static_cast<size_t>(block)] = policy_loss_block(range, terms, exponentials.of(range));
    }
  });
  at::Tensor sums = at::zeros({static_cast<int64_t>(kNumPolicyLossSums)}, at::kDouble);
  double* totals = sums.mutable_data_ptr<double>();
  for (const PolicyLossSums& part : parts)
    for (size_t sum = 0; sum < part.size(); ++sum) totals[sum] += part[sum];
  return sums;
}

at::Tensor run(const TokenPolicyLossInput& input, const PolicyLossTerms& terms,
               Gradients& gradients) {
  if (input.logprob_T.is_cuda()) return cuda_ops::token_policy_loss(input, terms, gradients);
  return input.logprob_T.scalar_type() == at::kDouble ? run<double>(input, terms, gradients)
                                                      : run<float>(input, terms, gradients);
}

at::Tensor scaled(const at::Tensor& gradient_T, const at::Tensor& upstream) {
  if (!gradient_T.defined()) return gradient_T;
  return gradient_T.is_cuda() ? cuda_ops::scale_gradient(gradient_T, upstream)
                              : gradient_T * upstream;
}

bool has_kernel(const at::Tensor& logprob_T) {
  const at::ScalarType type = logprob_T.scalar_type();
  return mode() == Mode::kFast &&
         ((type == at::kFloat && (logprob_T.is_cpu() || logprob_T.is_cuda())) ||
          (type == at::kDouble && logprob_T.is_cpu()));
}

struct PolicyLossFunction : Function<PolicyLossFunction> {
  // The gradient is taken in the forward pass.
  static variable_list forward(AutogradContext* ctx, const at::Tensor& logprob_T,
                               const at::Tensor& entropy_T, const TokenPolicyLossInput& input,
                               const PolicyLossTerms& terms) {
    Gradients gradients;
    if (logprob_T.requires_grad()) gradients.logprob_T = at::empty_like(input.logprob_T);
    if (entropy_T.requires_grad()) gradients.entropy_T = at::empty_like(input.entropy_T);
    const at::Tensor sums = run(input, terms, gradients);
    ctx->save_for_backward({gradients.logprob_T, gradients.entropy_T});
    ctx->mark_non_differentiable({sums});
    return {sums[static_cast<int64_t>(PolicyLossSum::kLoss)].clone(), sums};
  }

  static variable_list backward(AutogradContext* ctx, const variable_list& grads) {
    check_first_derivative(kOp);
    variable_list inputs;
    for (const at::Tensor& gradient_T : ctx->get_saved_variables())
      inputs.push_back(scaled(gradient_T, grads[0]));
    return {inputs[0], inputs[1], at::Tensor(), at::Tensor()};
  }
};

}  // namespace

TokenPolicyLoss token_policy_loss(const TokenPolicyLossInput& input, const PolicyLossTerms& terms) {
  RECORD_USER_SCOPE("token_policy_loss");
  check(input, terms);
  if (!has_kernel(input.logprob_T)) return reference::token_policy_loss(input, terms);
  const TokenPolicyLossInput columns = prepared(input, terms);
  // What no term reads has no gradient.
  const bool reads_logprob = terms.policy != 0 || terms.kl != 0 || columns.pulled_T.defined();
  const variable_list outputs = PolicyLossFunction::apply(
      reads_logprob ? columns.logprob_T : columns.logprob_T.detach(),
      terms.entropy != 0 ? columns.entropy_T : columns.entropy_T.detach(), columns, terms);
  return {outputs[0], outputs[1]};
}

}  // namespace covrl::kernels
