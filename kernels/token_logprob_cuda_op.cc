#include <ATen/ATen.h>
#include <torch/csrc/autograd/custom_function.h>

#include "kernels/check.h"
#include "kernels/cuda_launch.h"
#include "kernels/cuda_ops.h"
#include "kernels/token_logprob_cuda.h"

namespace covrl::kernels::cuda_ops {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::Function;
using torch::autograd::variable_list;

constexpr const char* kOp = "token_logprob_from_logits";

struct LogitsFunction : Function<LogitsFunction> {
  static variable_list forward(AutogradContext* ctx, const at::Tensor& logits,
                               const at::Tensor& targets, double temperature) {
    const at::TensorOptions options = logits.options().dtype(at::kFloat);
    const at::Tensor logprob = at::empty({logits.size(0)}, options),
                     entropy = at::empty_like(logprob),
                     statistics = at::empty({3, logits.size(0)}, options);
    TokenLogprobForward rows;
    rows.logits_TV = logits.const_data_ptr();
    rows.type = cuda_type(logits);
    rows.targets_T = targets.const_data_ptr<int64_t>();
    rows.num_tokens = logits.size(0);
    rows.num_ids = logits.size(1);
    rows.inverse_temperature = static_cast<float>(1 / temperature);
    rows.logprob_T = logprob.data_ptr<float>();
    rows.entropy_T = entropy.data_ptr<float>();
    rows.statistics_3T = statistics.data_ptr<float>();
    check_launch(token_logprob_forward_cuda(rows, current_stream()), kOp, logits);
    ctx->save_for_backward({logits, targets});
    ctx->saved_data["statistics"] = statistics;
    ctx->saved_data["temperature"] = temperature;
    return {logprob, entropy};
  }

  static variable_list backward(AutogradContext* ctx, const variable_list& grads) {
    check_first_derivative(kOp);
    const variable_list saved = ctx->get_saved_variables();
    const at::Tensor gradient = saved[0].clone(), grad_logprob = grads[0].contiguous(),
                     grad_entropy = grads[1].contiguous();
    TokenLogprobBackward rows;
    rows.logits_TV = gradient.data_ptr();
    rows.type = cuda_type(gradient);
    rows.targets_T = saved[1].const_data_ptr<int64_t>();
    rows.num_tokens = gradient.size(0);
    rows.num_ids = gradient.size(1);
    rows.inverse_temperature = static_cast<float>(1 / ctx->saved_data["temperature"].toDouble());
    rows.statistics_3T = ctx->saved_data["statistics"].toTensor().const_data_ptr<float>();
    rows.grad_logprob_T = grad_logprob.const_data_ptr<float>();
    rows.grad_entropy_T = grad_entropy.const_data_ptr<float>();
    check_launch(token_logprob_backward_cuda(rows, current_stream()), kOp, gradient);
    return {gradient, at::Tensor(), at::Tensor()};
  }
};

}  // namespace

TokenLogprob token_logprob_from_logits(const at::Tensor& logits_TV, const at::Tensor& targets_T,
                                       double temperature) {
  const variable_list outputs =
      LogitsFunction::apply(logits_TV.contiguous(), targets_T.contiguous(), temperature);
  return {outputs[0], outputs[1]};
}

}  // namespace covrl::kernels::cuda_ops
