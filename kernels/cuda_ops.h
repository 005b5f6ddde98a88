// The kernels of this folder for tensors on a CUDA device: tensors in, tensors out.
//
// An op checks its input, then calls these where a CPU tensor would take the CPU's kernel; here is
// no autograd unless said. X_cuda_op.cc holds those of op X, over the launchers of X_cuda.h. The
// build without LibTorch's CUDA part has no_cuda_ops.cc in their place. Tensors are on the current
// device; kernels go to LibTorch's current stream and are not waited for. A launch that fails
// throws Error(kRuntime) naming op, shape and dtype.
#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "kernels/adamw.h"
#include "kernels/adamw_scalars.h"
#include "kernels/attention.h"
#include "kernels/covariance.h"
#include "kernels/covariance_cpu.h"
#include "kernels/rope.h"
#include "kernels/rope_cpu.h"
#include "kernels/sample_token.h"
#include "kernels/token_logprob.h"
#include "kernels/token_policy_loss.h"

namespace covrl::kernels::cuda_ops {

struct NormalisedRows {
  at::Tensor y_TD;
  at::Tensor sum_TD;     // with a residual: x + residual
  at::Tensor inverse_T;  // for the backward pass: 1 / root mean square
};
// residual: undefined for none.
NormalisedRows rms_norm(const at::Tensor& x_TD, const at::Tensor& residual_TD,
                        const at::Tensor& weight_D, double eps);
struct RmsNormGradient {
  at::Tensor x_TD;
  at::Tensor weight_D;
};
// x: what was normalised. grad_sum: undefined, or the gradient that reaches x past the norm.
RmsNormGradient rms_norm_backward(const at::Tensor& x_TD, const at::Tensor& weight_D,
                                  const at::Tensor& inverse_T, const at::Tensor& grad_y_TD,
                                  const at::Tensor& grad_sum_TD);

at::Tensor rope(const at::Tensor& x_THd, const RopePlaces& places, Rotation rotation);
void rope_into_cache(PagedCache& cache, const at::Tensor& k_THd, const at::Tensor& v_THd,
                     const at::Tensor& slots_T, const RopePlaces& places);

at::Tensor swiglu(const at::Tensor& gate_TF, const at::Tensor& up_TF);
struct SwigluGradient {
  at::Tensor gate_TF;
  at::Tensor up_TF;
};
SwigluGradient swiglu_backward(const at::Tensor& gate_TF, const at::Tensor& up_TF,
                               const at::Tensor& grad_y_TF);

// With gradient. What fused_attention_fits (attention.cc) accepts.
at::Tensor attention(const at::Tensor& q_TQd, const at::Tensor& k_THd, const at::Tensor& v_THd,
                     const Packing& packing, double scale);

// Pages and lengths, which live on the device, are not checked.
at::Tensor decode_attention(const at::Tensor& q_BQd, const PagedCache& cache,
                            const at::Tensor& block_table_BM, const at::Tensor& lengths_B,
                            double scale);

// Waits for the device and brings the few numbers a row to the host. Token -1: nothing can be drawn
// from the row.
SampledTokens sample_token(const at::Tensor& logits_BV, const SamplingFilter& filter,
                           const std::vector<double>& uniforms);

// With gradient.
TokenLogprob token_logprob(const at::Tensor& hidden_TD, const at::Tensor& head_VD,
                           const at::Tensor& targets_T, double temperature);
TokenLogprob token_logprob_from_logits(const at::Tensor& logits_TV, const at::Tensor& targets_T,
                                       double temperature);

// The sums, [kNumPolicyLossSums]; fills the gradients that are defined. float32, contiguous.
struct PolicyLossGradients {
  at::Tensor logprob_T, entropy_T;
};
at::Tensor token_policy_loss(const TokenPolicyLossInput& input, const PolicyLossTerms& terms,
                             const PolicyLossGradients& gradients);
// gradient times a float64 scalar on the device.
at::Tensor scale_gradient(const at::Tensor& gradient_T, const at::Tensor& upstream);

// float32. The moments alone are waited for.
CovarianceMoments covariance_moments(const CovarianceInput& input);
at::Tensor covariance(const CovarianceInput& input);
CovarianceSelection select_largest_covariance(const CovarianceInput& input, int64_t number);
CovarianceSelection select_in_covariance_band(const CovarianceInput& input,
                                              const CovarianceBand& band, int64_t number,
                                              const DrawKey& key);

void adamw(const AdamwTensors& tensors, const AdamwScalars& scalars);
at::Tensor gradient_norm(const at::Tensor& grad);

}  // namespace covrl::kernels::cuda_ops
