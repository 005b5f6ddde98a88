#include "kernels/reference_logprob.h"

#include <ATen/ATen.h>

#include <cmath>
#include <limits>

namespace covrl::kernels::reference {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

at::Tensor widened(const at::Tensor& x) {
  return x.scalar_type() == at::kDouble ? x : x.to(at::kFloat);
}

// The id of the largest logit, the lowest among equals.
int64_t greedy_token(const at::Tensor& logits_V) {
  return logits_V.eq(logits_V.max()).nonzero()[0].item<int64_t>();
}

}  // namespace

TokenLogprob token_logprob(const at::Tensor& hidden_TD, const at::Tensor& head_VD,
                           const at::Tensor& targets_T, double temperature) {
  return token_logprob_from_logits(at::matmul(widened(hidden_TD), widened(head_VD).t()), targets_T,
                                   temperature);
}

TokenLogprob token_logprob_from_logits(const at::Tensor& logits_TV, const at::Tensor& targets_T,
                                       double temperature) {
  const at::Tensor logprob_TV = at::log_softmax(widened(logits_TV) / temperature, 1);
  const at::Tensor finite_TV = logprob_TV.masked_fill(logprob_TV == -kInfinity, 0);
  return {logprob_TV.gather(1, targets_T.unsqueeze(1)).squeeze(1),
          -(logprob_TV.exp() * finite_TV).sum(1)};
}

std::vector<double> filtered_distribution(const at::Tensor& logits_V,
                                          const SamplingFilter& filter) {
  const at::Tensor logits = logits_V.to(at::kCPU, at::kDouble);
  at::Tensor probability;
  if (filter.temperature == 0) {
    probability = at::zeros_like(logits);
    probability[greedy_token(logits)] = 1;
  } else {
    at::Tensor scores = logits / filter.temperature;
    if (filter.top_k > 0 && filter.top_k < scores.numel()) {
      const at::Tensor last_kept = std::get<0>(scores.topk(filter.top_k))[-1];
      scores = scores.masked_fill(scores < last_kept, -kInfinity);
    }
    if (filter.top_p < 1) {
      const at::Tensor order = scores.argsort(/*stable=*/true, /*dim=*/0, /*descending=*/true);
      const at::Tensor sorted = scores.softmax(0).index_select(0, order);
      at::Tensor removed = sorted.cumsum(0) - sorted >= filter.top_p;
      removed[0] = false;
      scores = scores.masked_fill(at::zeros_like(removed).scatter(0, order, removed), -kInfinity);
    }
    const at::Tensor kept = scores.softmax(0);
    probability = scores.masked_fill(kept < filter.min_p * kept.max(), -kInfinity).softmax(0);
  }
  const double* data = probability.const_data_ptr<double>();
  return {data, data + probability.numel()};
}

SampledTokens sample_token(const at::Tensor& logits_BV, const SamplingFilter& filter,
                           const std::vector<double>& uniforms) {
  const double temperature = filter.temperature == 0 ? 1 : filter.temperature;
  SampledTokens sampled;
  for (int64_t row = 0; row < logits_BV.size(0); ++row) {
    const std::vector<double> probability =
        reference::filtered_distribution(logits_BV[row], filter);
    int64_t token = -1;
    double cumulative = 0;
    for (int64_t id = 0; id < logits_BV.size(1) && cumulative <= uniforms[row]; ++id) {
      if (probability[id] > 0) token = id;
      cumulative += probability[id];
    }
    const at::Tensor targets = at::full({1}, token, at::kLong);
    const TokenLogprob full =
        token_logprob_from_logits(logits_BV.narrow(0, row, 1), targets, temperature);
    sampled.token.push_back(token);
    sampled.logprob.push_back(full.logprob_T.item<float>());
    sampled.filtered_logprob.push_back(static_cast<float>(std::log(probability[token])));
    sampled.entropy.push_back(full.entropy_T.item<float>());
  }
  return sampled;
}

void adamw(at::Tensor& param, const at::Tensor& grad, at::Tensor& exp_avg, at::Tensor& exp_avg_sq,
           const AdamwStep& step) {
  const at::Tensor scaled = grad * step.grad_scale;
  const double correction1 = 1 - std::pow(step.beta1, step.step);
  const double correction2 = 1 - std::pow(step.beta2, step.step);
  param.mul_(1 - step.lr * step.weight_decay);
  exp_avg.lerp_(scaled, 1 - step.beta1);
  exp_avg_sq.mul_(step.beta2).addcmul_(scaled, scaled, 1 - step.beta2);
  const at::Tensor denominator = (exp_avg_sq.sqrt() / std::sqrt(correction2)).add_(step.eps);
  param.addcdiv_(exp_avg, denominator, -step.lr / correction1);
}

}  // namespace covrl::kernels::reference
