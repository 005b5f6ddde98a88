#include "entropy/covariance.h"

#include <ATen/ATen.h>

#include <algorithm>

namespace covrl {

kernels::CovarianceInput covariance_input(const at::Tensor& logprob_T,
                                          const at::Tensor& advantage_T, const at::Tensor& mask_T,
                                          const kernels::TokenIds& ids, at::Device device) {
  const bool floats =
      logprob_T.scalar_type() == at::kFloat && advantage_T.scalar_type() == at::kFloat;
  const auto column = [device](const at::Tensor& values, at::ScalarType type) {
    return values.detach().to(device, type).contiguous();
  };
  kernels::CovarianceInput input{column(logprob_T, floats ? at::kFloat : at::kDouble),
                                 column(advantage_T, floats ? at::kFloat : at::kDouble),
                                 column(mask_T, at::kBool), ids};
  if (!device.is_cpu()) input.id_T = at::tensor(ids.column(), at::kLong).to(device);
  return input;
}

int64_t num_tokens_in(const at::Tensor& mask_T) {
  const at::Tensor mask = mask_T.contiguous();
  const bool* inside = mask.const_data_ptr<bool>();
  return std::count(inside, inside + mask.numel(), true);
}

int64_t quota_of(double ratio, int64_t num_tokens) {
  if (num_tokens == 0) return 0;
  return std::max<int64_t>(1, static_cast<int64_t>(ratio * static_cast<double>(num_tokens)));
}

std::vector<double> values_at(const at::Tensor& values_T, const std::vector<int64_t>& places) {
  const at::Tensor values =
      values_T.detach().index_select(0, at::tensor(places, at::kLong)).to(at::kDouble);
  return {values.const_data_ptr<double>(), values.const_data_ptr<double>() + values.numel()};
}

at::Tensor mask_of(const std::vector<int64_t>& places, int64_t num_entries) {
  at::Tensor mask_T = at::zeros({num_entries}, at::kBool);
  bool* data = mask_T.mutable_data_ptr<bool>();
  for (const int64_t place : places) data[place] = true;
  return mask_T;
}

}  // namespace covrl
