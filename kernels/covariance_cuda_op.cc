#include "kernels/covariance_cuda.h"

#include <ATen/ATen.h>

#include <cstddef>
#include <cstring>

#include "kernels/cuda_launch.h"
#include "kernels/cuda_ops.h"

namespace covrl::kernels::cuda_ops {
namespace {

constexpr const char* kOp = "covariance";

// An input with its moments, made there.
class Moments {
 public:
  explicit Moments(const CovarianceInput& input)
      : input_(input),
        bytes_(at::empty({sizeof(CovarianceState)}, input.logprob_T.options().dtype(at::kByte))) {
    check(covariance_moments_cuda(tokens(), state(), stream()));
  }

  CovarianceTokens tokens() const {
    const bool has_ids = input_.id_T.defined();
    return {input_.logprob_T.const_data_ptr<float>(), input_.advantage_T.const_data_ptr<float>(),
            input_.mask_T.const_data_ptr<bool>(),
            has_ids ? input_.id_T.const_data_ptr<int64_t>() : nullptr, input_.mask_T.numel()};
  }
  CovarianceState* state() const {
    return reinterpret_cast<CovarianceState*>(bytes_.data_ptr<uint8_t>());
  }
  cudaStream_t stream() const { return stream_of(input_.logprob_T); }
  void check(cudaError_t status) const { check_launch(status, kOp, input_.logprob_T); }

  // A member of the state, as bytes in device memory.
  at::Tensor member(size_t offset, size_t size) const {
    return bytes_.narrow(0, static_cast<int64_t>(offset), static_cast<int64_t>(size));
  }
  at::Tensor empty(at::ScalarType type) const {
    return at::empty(input_.mask_T.sizes(), input_.logprob_T.options().dtype(type));
  }
  CovarianceSelection selection(const at::Tensor& selected_T) const {
    constexpr size_t kPlace = offsetof(CovarianceState, num_candidates);
    return {selected_T, member(kPlace, sizeof(int64_t)).view(at::kLong)};
  }

 private:
  const CovarianceInput& input_;
  at::Tensor bytes_;
};

}  // namespace

CovarianceMoments covariance_moments(const CovarianceInput& input) {
  const at::Tensor bytes =
      Moments(input).member(offsetof(CovarianceState, moments), sizeof(CovarianceMoments)).cpu();
  CovarianceMoments moments;
  std::memcpy(&moments, bytes.const_data_ptr(), sizeof moments);
  return moments;
}

at::Tensor covariance(const CovarianceInput& input) {
  const Moments moments(input);
  const at::Tensor covariance_T = moments.empty(at::kDouble);
  moments.check(covariance_cuda(moments.tokens(), moments.state(), covariance_T.data_ptr<double>(),
                                moments.stream()));
  return covariance_T;
}

CovarianceSelection select_largest_covariance(const CovarianceInput& input, int64_t number) {
  const Moments moments(input);
  const at::Tensor selected_T = moments.empty(at::kBool);
  moments.check(select_largest_covariance_cuda(moments.tokens(),
                                               {number, /*none_if_all_zero=*/true}, moments.state(),
                                               selected_T.data_ptr<bool>(), moments.stream()));
  return moments.selection(selected_T);
}

CovarianceSelection select_in_covariance_band(const CovarianceInput& input,
                                              const CovarianceBand& band, int64_t number,
                                              const DrawKey& key) {
  const Moments moments(input);
  const at::Tensor selected_T = moments.empty(at::kBool);
  CovarianceBandChoice wanted;
  wanted.lower = band.lower;
  wanted.upper = band.upper;
  wanted.excluded_T = band.excluded_T.defined() ? band.excluded_T.const_data_ptr<bool>() : nullptr;
  wanted.number = number;
  wanted.key[0] = key.key[0];
  wanted.key[1] = key.key[1];
  wanted.step = key.step;
  moments.check(select_in_covariance_band_cuda(moments.tokens(), wanted, moments.state(),
                                               selected_T.data_ptr<bool>(), moments.stream()));
  return moments.selection(selected_T);
}

}  // namespace covrl::kernels::cuda_ops
