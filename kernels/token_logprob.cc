#include "kernels/token_logprob.h"

#include <ATen/ATen.h>
#include <ATen/record_function.h>
#include <torch/csrc/autograd/custom_function.h>

#include <cmath>

#include "core/error.h"
#include "kernels/check.h"
#include "kernels/cuda_ops.h"
#include "kernels/reference.h"
#include "kernels/reference_logprob.h"
#include "kernels/token_logprob_cpu.h"

namespace covrl::kernels {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::Function;
using torch::autograd::variable_list;

constexpr const char* kOp = "token_logprob";

// Targets on a device are not looked at: that would wait for it.
void check_targets(const at::Tensor& targets_T, const at::Tensor& like_Tx, int64_t num_ids,
                   double temperature) {
  const int64_t num_tokens = like_Tx.size(0);
  if (num_ids == 0) throw_usage("token_logprob: the vocabulary has 0 ids, expected at least 1");
  if (!(temperature > 0) || std::isinf(temperature))
    throw_usage("token_logprob: temperature is ", temperature,
                ", expected a finite number above 0");
  check_integers(kOp, "targets", targets_T, at::kLong, {num_tokens}, like_Tx);
  if (!targets_T.is_cpu()) return;
  const at::Tensor host = targets_T.contiguous();
  const int64_t* targets = host.const_data_ptr<int64_t>();
  for (int64_t token = 0; token < num_tokens; ++token) {
    if (targets[token] < 0 || targets[token] >= num_ids)
      throw_usage("token_logprob: targets[", token, "] is ", targets[token], ", expected 0 .. ",
                  num_ids - 1);
  }
}

// Stores what the backward pass needs of the rows, [3,T], and returns {logprob, entropy}.
variable_list finish_forward(AutogradContext* ctx, const ScoredRows& scored,
                             float inverse_temperature) {
  const int64_t num_tokens = static_cast<int64_t>(scored.rows.size());
  at::Tensor logprob = at::empty({num_tokens}, at::kFloat), entropy = at::empty_like(logprob);
  at::Tensor statistics = at::empty({3, num_tokens}, at::kFloat);
  float* saved = statistics.data_ptr<float>();
  for (int64_t token = 0; token < num_tokens; ++token) {
    const SoftmaxRow& row = scored.rows[token];
    saved[token] = row.max;
    saved[num_tokens + token] = static_cast<float>(row.log_sum());
    saved[2 * num_tokens + token] = static_cast<float>(row.entropy());
    entropy.data_ptr<float>()[token] = saved[2 * num_tokens + token];
    logprob.data_ptr<float>()[token] =
        static_cast<float>(row.logprob(scored.target_logit[token], inverse_temperature));
  }
  ctx->saved_data["statistics"] = statistics;
  ctx->saved_data["inverse_temperature"] = static_cast<double>(inverse_temperature);
  ctx->set_materialize_grads(false);
  return {logprob, entropy};
}

std::vector<SoftmaxRowGradient> row_gradients(AutogradContext* ctx, const variable_list& grads) {
  check_first_derivative(kOp);
  const at::Tensor statistics = ctx->saved_data["statistics"].toTensor();
  const int64_t num_tokens = statistics.size(1);
  const float* saved = statistics.const_data_ptr<float>();
  const at::Tensor grad_logprob =
      grads[0].defined() ? grads[0].contiguous() : at::zeros({num_tokens});
  const at::Tensor grad_entropy =
      grads[1].defined() ? grads[1].contiguous() : at::zeros({num_tokens});
  std::vector<SoftmaxRowGradient> rows(num_tokens);
  for (int64_t token = 0; token < num_tokens; ++token) {
    rows[token] = {saved[token],
                   saved[num_tokens + token],
                   saved[2 * num_tokens + token],
                   static_cast<float>(ctx->saved_data["inverse_temperature"].toDouble()),
                   grad_logprob.const_data_ptr<float>()[token],
                   grad_entropy.const_data_ptr<float>()[token]};
  }
  return rows;
}

struct TokenLogprobFunction : Function<TokenLogprobFunction> {
  static variable_list forward(AutogradContext* ctx, const at::Tensor& hidden,
                               const at::Tensor& head, const at::Tensor& targets,
                               double temperature) {
    ctx->save_for_backward({hidden, head, targets});
    const float inverse_temperature = static_cast<float>(1 / temperature);
    return finish_forward(
        ctx, score_rows(hidden, head, targets.const_data_ptr<int64_t>(), inverse_temperature),
        inverse_temperature);
  }

  static variable_list backward(AutogradContext* ctx, const variable_list& grads) {
    const variable_list saved = ctx->get_saved_variables();
    const bool hidden_wanted = ctx->needs_input_grad(0), head_wanted = ctx->needs_input_grad(1);
    const Wanted wanted = !head_wanted    ? Wanted::kHidden
                          : hidden_wanted ? Wanted::kBoth
                                          : Wanted::kHead;
    const HiddenHeadGradient gradient = hidden_head_gradient(
        saved[0], saved[1], saved[2].const_data_ptr<int64_t>(), row_gradients(ctx, grads), wanted);
    return {gradient.hidden_TD, gradient.head_VD, at::Tensor(), at::Tensor()};
  }
};

struct TokenLogprobFromLogitsFunction : Function<TokenLogprobFromLogitsFunction> {
  static variable_list forward(AutogradContext* ctx, const at::Tensor& logits,
                               const at::Tensor& targets, double temperature) {
    ctx->save_for_backward({logits, targets});
    const float inverse_temperature = static_cast<float>(1 / temperature);
    return finish_forward(
        ctx, score_logits(logits, targets.const_data_ptr<int64_t>(), inverse_temperature),
        inverse_temperature);
  }

  static variable_list backward(AutogradContext* ctx, const variable_list& grads) {
    const variable_list saved = ctx->get_saved_variables();
    return {
        logits_gradient(saved[0], saved[1].const_data_ptr<int64_t>(), row_gradients(ctx, grads)),
        at::Tensor(), at::Tensor()};
  }
};

}  // namespace

TokenLogprob token_logprob(const at::Tensor& hidden_TD, const at::Tensor& head_VD,
                           const at::Tensor& targets_T, double temperature) {
  RECORD_USER_SCOPE("token_logprob");
  check_input(kOp, "hidden", hidden_TD, 2);
  check_input(kOp, "head", head_VD, 2);
  check_alike(kOp, "hidden", hidden_TD, "head", head_VD);
  check_shape(kOp, "head", head_VD, {head_VD.size(0), hidden_TD.size(1)});
  check_targets(targets_T, hidden_TD, head_VD.size(0), temperature);
  if (uses_reference(hidden_TD, Kernels::kCpuAndCuda))
    return reference::token_logprob(hidden_TD, head_VD, targets_T, temperature);
  if (hidden_TD.is_cuda())
    return cuda_ops::token_logprob(hidden_TD, head_VD, targets_T, temperature);
  const variable_list outputs = TokenLogprobFunction::apply(
      hidden_TD.contiguous(), head_VD.contiguous(), targets_T.contiguous(), temperature);
  return {outputs[0], outputs[1]};
}

TokenLogprob token_logprob_from_logits(const at::Tensor& logits_TV, const at::Tensor& targets_T,
                                       double temperature) {
  RECORD_USER_SCOPE("token_logprob_from_logits");
  check_input(kOp, "logits", logits_TV, 2);
  check_targets(targets_T, logits_TV, logits_TV.size(1), temperature);
  if (uses_reference(logits_TV, Kernels::kCpuAndCuda))
    return reference::token_logprob_from_logits(logits_TV, targets_T, temperature);
  if (logits_TV.is_cuda())
    return cuda_ops::token_logprob_from_logits(logits_TV, targets_T, temperature);
  const variable_list outputs = TokenLogprobFromLogitsFunction::apply(
      logits_TV.contiguous(), targets_T.contiguous(), temperature);
  return {outputs[0], outputs[1]};
}

}  // namespace covrl::kernels
