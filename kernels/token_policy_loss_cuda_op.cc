#include <ATen/ATen.h>

#include "kernels/cuda_launch.h"
#include "kernels/cuda_ops.h"
#include "kernels/token_policy_loss_cuda.h"

namespace covrl::kernels::cuda_ops {
namespace {

constexpr const char* kOp = "token_policy_loss";

template <class T>
const T* pointer(const at::Tensor& values) {
  return values.defined() ? values.const_data_ptr<T>() : nullptr;
}

float* output(const at::Tensor& values) {
  return values.defined() ? values.data_ptr<float>() : nullptr;
}

}  // namespace

at::Tensor token_policy_loss(const TokenPolicyLossInput& input, const PolicyLossTerms& terms,
                             const PolicyLossGradients& gradients) {
  const int64_t num_tokens = input.logprob_T.numel();
  const at::TensorOptions options = input.weight_T.options();
  constexpr int64_t kSums = static_cast<int64_t>(kNumPolicyLossCudaSums);
  const at::Tensor sums = at::empty({kSums}, options),
                   partial = at::empty({kSums, policy_loss_blocks(num_tokens)}, options);
  TokenPolicyLossCuda tokens;
  tokens.logprob_T = pointer<float>(input.logprob_T);
  tokens.old_logprob_T = pointer<float>(input.old_logprob_T);
  tokens.advantage_T = pointer<float>(input.advantage_T);
  tokens.entropy_T = pointer<float>(input.entropy_T);
  tokens.ref_logprob_T = pointer<float>(input.ref_logprob_T);
  tokens.rollout_weight_T = pointer<float>(input.rollout_weight_T);
  tokens.mask_T = pointer<bool>(input.mask_T);
  tokens.dropped_T = pointer<bool>(input.dropped_T);
  tokens.pulled_T = pointer<bool>(input.pulled_T);
  tokens.weight_T = pointer<double>(input.weight_T);
  tokens.num_tokens = num_tokens;
  tokens.terms = terms;
  tokens.grad_logprob_T = output(gradients.logprob_T);
  tokens.grad_entropy_T = output(gradients.entropy_T);
  tokens.partial_sums = partial.data_ptr<double>();
  tokens.sums = sums.data_ptr<double>();
  check_launch(token_policy_loss_cuda(tokens, stream_of(input.logprob_T)), kOp, input.logprob_T);
  return sums.narrow(0, 0, static_cast<int64_t>(kNumPolicyLossSums));
}

at::Tensor scale_gradient(const at::Tensor& gradient_T, const at::Tensor& upstream) {
  const at::Tensor scaled_T = at::empty_like(gradient_T);
  const ScaledGradientCuda tokens = {gradient_T.const_data_ptr<float>(),
                                     upstream.const_data_ptr<double>(), output(scaled_T),
                                     gradient_T.numel()};
  check_launch(scale_gradient_cuda(tokens, stream_of(gradient_T)), kOp, gradient_T);
  return scaled_T;
}

}  // namespace covrl::kernels::cuda_ops
