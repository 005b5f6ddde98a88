// Plain-torch oracles of token_logprob, sample_token and adamw: short, differentiable where the op
// is, any device, and in the precision of their input (float64 stays float64; bfloat16 is computed
// in float32).
#pragma once

#include <vector>

#include "kernels/adamw.h"
#include "kernels/sample_token.h"
#include "kernels/token_logprob.h"

namespace covrl::kernels::reference {

TokenLogprob token_logprob(const at::Tensor& hidden_TD, const at::Tensor& head_VD,
                           const at::Tensor& targets_T, double temperature);
TokenLogprob token_logprob_from_logits(const at::Tensor& logits_TV, const at::Tensor& targets_T,
                                       double temperature);

SampledTokens sample_token(const at::Tensor& logits_BV, const SamplingFilter& filter,
                           const std::vector<double>& uniforms);
std::vector<double> filtered_distribution(const at::Tensor& logits_V, const SamplingFilter& filter);

void adamw(at::Tensor& param, const at::Tensor& grad, at::Tensor& exp_avg, at::Tensor& exp_avg_sq,
           const AdamwStep& step);

}  // namespace covrl::kernels::reference
