// In place of *_cuda_op.cc in the build without LibTorch's CUDA part, which has no CUDA tensors.
#include "core/error.h"
#include "kernels/cuda_ops.h"

namespace covrl::kernels::cuda_ops {
namespace {

[[noreturn]] void refuse(const char* op) {
  throw_runtime(op, ": a CUDA tensor in a build without CUDA (see docs/device.md)");
}

}  // namespace

NormalisedRows rms_norm(const at::Tensor&, const at::Tensor&, const at::Tensor&, double) {
  refuse("rms_norm");
}

RmsNormGradient rms_norm_backward(const at::Tensor&, const at::Tensor&, const at::Tensor&,
                                  const at::Tensor&, const at::Tensor&) {
  refuse("rms_norm");
}

at::Tensor rope(const at::Tensor&, const RopePlaces&, Rotation) { refuse("rope"); }

void rope_into_cache(PagedCache&, const at::Tensor&, const at::Tensor&, const at::Tensor&,
                     const RopePlaces&) {
  refuse("rope_into_cache");
}

at::Tensor swiglu(const at::Tensor&, const at::Tensor&) { refuse("swiglu"); }

SwigluGradient swiglu_backward(const at::Tensor&, const at::Tensor&, const at::Tensor&) {
  refuse("swiglu");
}

at::Tensor decode_attention(const at::Tensor&, const PagedCache&, const at::Tensor&,
                            const at::Tensor&, double) {
  refuse("decode_attention");
}

SampledTokens sample_token(const at::Tensor&, const SamplingFilter&, const std::vector<double>&) {
  refuse("sample_token");
}

TokenLogprob token_logprob(const at::Tensor&, const at::Tensor&, const at::Tensor&, double) {
  refuse("token_logprob");
}

at::Tensor attention(const at::Tensor&, const at::Tensor&, const at::Tensor&, const Packing&,
                     double) {
  refuse("attention");
}

TokenLogprob token_logprob_from_logits(const at::Tensor&, const at::Tensor&, double) {
  refuse("token_logprob_from_logits");
}

at::Tensor token_policy_loss(const TokenPolicyLossInput&, const PolicyLossTerms&,
                             const PolicyLossGradients&) {
  refuse("token_policy_loss");
}

at::Tensor scale_gradient(const at::Tensor&, const at::Tensor&) { refuse("token_policy_loss"); }

CovarianceMoments covariance_moments(const CovarianceInput&) { refuse("covariance"); }

at::Tensor covariance(const CovarianceInput&) { refuse("covariance"); }

CovarianceSelection select_largest_covariance(const CovarianceInput&, int64_t) {
  refuse("covariance");
}

CovarianceSelection select_in_covariance_band(const CovarianceInput&, const CovarianceBand&,
                                              int64_t, const DrawKey&) {
  refuse("covariance");
}

void adamw(const AdamwTensors&, const AdamwScalars&) { refuse("adamw"); }

at::Tensor gradient_norm(const at::Tensor&) { refuse("gradient_norm"); }

}  // namespace covrl::kernels::cuda_ops
