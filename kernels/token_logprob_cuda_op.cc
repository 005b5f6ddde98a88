#include <ATen/ATen.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>

#include "kernels/check.h"
#include "kernels/cuda_launch.h"
#include "kernels/cuda_ops.h"
#include "kernels/token_logprob_cuda.h"

namespace covrl::kernels::cuda_ops {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::Function;
using torch::autograd::variable_list;

constexpr const char* kOp = "token_logprob";
constexpr int64_t kIdsPerTile = 8192;  // a twentieth of a vocabulary: what [T,V] costs is not paid

struct Results {
  at::Tensor logprob_T, entropy_T, statistics_3T;

  explicit Results(const at::Tensor& rows) {
    const at::TensorOptions options = rows.options().dtype(at::kFloat);
    logprob_T = at::empty({rows.size(0)}, options);
    entropy_T = at::empty_like(logprob_T);
    statistics_3T = at::empty({3, rows.size(0)}, options);
  }

  variable_list save(AutogradContext* ctx, const variable_list& inputs, double temperature) const {
    ctx->save_for_backward(inputs);
    ctx->saved_data["statistics"] = statistics_3T;
    ctx->saved_data["temperature"] = temperature;
    return {logprob_T, entropy_T};
  }
};

float inverse(double temperature) { return static_cast<float>(1 / temperature); }

// Logits, or a tile of them, become the gradient with respect to them.
class RowGradients {
 public:
  RowGradients(AutogradContext* ctx, const variable_list& grads, const at::Tensor& targets_T)
      : statistics_3T_(ctx->saved_data["statistics"].toTensor()),
        grad_logprob_T_(grads[0].contiguous()),
        grad_entropy_T_(grads[1].contiguous()) {
    check_first_derivative(kOp);
    rows_.targets_T = targets_T.const_data_ptr<int64_t>();
    rows_.inverse_temperature = inverse(ctx->saved_data["temperature"].toDouble());
    rows_.statistics_3T = statistics_3T_.const_data_ptr<float>();
    rows_.grad_logprob_T = grad_logprob_T_.const_data_ptr<float>();
    rows_.grad_entropy_T = grad_entropy_T_.const_data_ptr<float>();
  }

  void differentiate(const at::Tensor& logits_TW, int64_t first_id) const {
    TokenLogprobBackward rows = rows_;
    rows.logits_TV = logits_TW.data_ptr();
    rows.type = cuda_type(logits_TW);
    rows.num_tokens = logits_TW.size(0);
    rows.num_ids = logits_TW.size(1);
    rows.first_id = first_id;
    check_launch(token_logprob_backward_cuda(rows, stream_of(logits_TW)), kOp, logits_TW);
  }

 private:
  at::Tensor statistics_3T_, grad_logprob_T_, grad_entropy_T_;
  TokenLogprobBackward rows_;
};

struct TokenLogprobFromLogitsFunction : Function<TokenLogprobFromLogitsFunction> {
  static variable_list forward(AutogradContext* ctx, const at::Tensor& logits,
                               const at::Tensor& targets, double temperature) {
    const Results results(logits);
    TokenLogprobForward rows;
    rows.logits_TV = logits.const_data_ptr();
    rows.type = cuda_type(logits);
    rows.targets_T = targets.const_data_ptr<int64_t>();
    rows.num_tokens = logits.size(0);
    rows.num_ids = logits.size(1);
    rows.inverse_temperature = inverse(temperature);
    rows.logprob_T = results.logprob_T.data_ptr<float>();
    rows.entropy_T = results.entropy_T.data_ptr<float>();
    rows.statistics_3T = results.statistics_3T.data_ptr<float>();
    check_launch(token_logprob_forward_cuda(rows, stream_of(logits)), kOp, logits);
    return results.save(ctx, {logits, targets}, temperature);
  }

  static variable_list backward(AutogradContext* ctx, const variable_list& grads) {
    const variable_list saved = ctx->get_saved_variables();
    const at::Tensor gradient = saved[0].clone();
    RowGradients(ctx, grads, saved[1]).differentiate(gradient, 0);
    return {gradient, at::Tensor(), at::Tensor()};
  }
};

// a b in float32, whatever they are stored in.
at::Tensor product(const at::Tensor& a, const at::Tensor& b) {
  return a.scalar_type() == at::kFloat ? at::mm(a, b) : at::mm(a, b, at::kFloat);
}

// visit(first id, rows of the head) for each tile of the vocabulary.
template <class Visit>
void for_each_tile(const at::Tensor& head_VD, const Visit& visit) {
  for (int64_t id = 0; id < head_VD.size(0); id += kIdsPerTile)
    visit(id, head_VD.narrow(0, id, std::min(kIdsPerTile, head_VD.size(0) - id)));
}

struct TokenLogprobFunction : Function<TokenLogprobFunction> {
  static variable_list forward(AutogradContext* ctx, const at::Tensor& hidden,
                               const at::Tensor& head, const at::Tensor& targets,
                               double temperature) {
    const Results results(hidden);
    const int64_t num_tokens = hidden.size(0);
    const at::Tensor state = at::empty({4, num_tokens}, results.logprob_T.options());
    for_each_tile(head, [&](int64_t first_id, const at::Tensor& head_WD) {
      const at::Tensor logits = product(hidden, head_WD.t());
      TokenLogprobFold tile;
      tile.logits_TW = logits.const_data_ptr();
      tile.type = cuda_type(logits);
      tile.targets_T = targets.const_data_ptr<int64_t>();
      tile.num_tokens = num_tokens;
      tile.num_ids = logits.size(1);
      tile.first_id = first_id;
      tile.inverse_temperature = inverse(temperature);
      tile.state_4T = state.data_ptr<float>();
      check_launch(token_logprob_fold_cuda(tile, stream_of(logits)), kOp, logits);
    });
    const TokenLogprobFinish rows{state.const_data_ptr<float>(),
                                  num_tokens,
                                  inverse(temperature),
                                  results.logprob_T.data_ptr<float>(),
                                  results.entropy_T.data_ptr<float>(),
                                  results.statistics_3T.data_ptr<float>()};
    check_launch(token_logprob_finish_cuda(rows, stream_of(hidden)), kOp, hidden);
    return results.save(ctx, {hidden, head, targets}, temperature);
  }

  // The logits again, tile by tile; 16-bit gradients of logits, as the products take them, sums in
  // float32.
  static variable_list backward(AutogradContext* ctx, const variable_list& grads) {
    const variable_list saved = ctx->get_saved_variables();
    const at::Tensor &hidden = saved[0], &head = saved[1];
    const RowGradients rows(ctx, grads, saved[2]);
    at::Tensor grad_hidden, grad_head;
    if (ctx->needs_input_grad(0))
      grad_hidden = at::zeros(hidden.sizes(), hidden.options().dtype(at::kFloat));
    if (ctx->needs_input_grad(1)) grad_head = at::empty_like(head);
    for_each_tile(head, [&](int64_t first_id, const at::Tensor& head_WD) {
      const at::Tensor logits = product(hidden, head_WD.t());
      rows.differentiate(logits, first_id);
      const at::Tensor gradient = logits.to(hidden.scalar_type());
      if (grad_hidden.defined()) grad_hidden.add_(product(gradient, head_WD));
      if (grad_head.defined())
        grad_head.narrow(0, first_id, head_WD.size(0)).copy_(product(gradient.t(), hidden));
    });
    if (grad_hidden.defined()) grad_hidden = grad_hidden.to(hidden.scalar_type());
    return {grad_hidden, grad_head, at::Tensor(), at::Tensor()};
  }
};

}  // namespace

TokenLogprob token_logprob(const at::Tensor& hidden_TD, const at::Tensor& head_VD,
                           const at::Tensor& targets_T, double temperature) {
  const variable_list outputs = TokenLogprobFunction::apply(
      hidden_TD.contiguous(), head_VD.contiguous(), targets_T.contiguous(), temperature);
  return {outputs[0], outputs[1]};
}

TokenLogprob token_logprob_from_logits(const at::Tensor& logits_TV, const at::Tensor& targets_T,
                                       double temperature) {
  const variable_list outputs = TokenLogprobFromLogitsFunction::apply(
      logits_TV.contiguous(), targets_T.contiguous(), temperature);
  return {outputs[0], outputs[1]};
}

}  // namespace covrl::kernels::cuda_ops
