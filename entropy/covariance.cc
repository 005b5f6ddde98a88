#include "entropy/covariance.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace covrl {
namespace {

std::vector<double> centred(const std::vector<double>& values) {
  std::vector<double> result(values.size(), 0.0);
  if (values.empty()) return result;
  // Equal values have a mean that rounding may move off them.
  const auto [low, high] = std::minmax_element(values.begin(), values.end());
  if (*low == *high && !std::isnan(std::accumulate(values.begin(), values.end(), 0.0)))
    return result;
  const double mean =
      std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
  for (size_t i = 0; i < values.size(); ++i) result[i] = values[i] - mean;
  return result;
}

std::vector<int64_t> integers(const at::Tensor& values) {
  const at::Tensor copy = values.to(at::kLong).contiguous();
  return {copy.const_data_ptr<int64_t>(), copy.const_data_ptr<int64_t>() + copy.numel()};
}

}  // namespace

std::vector<double> MaskedTokens::values(const at::Tensor& values_T) const {
  const at::Tensor all = values_T.detach().to(at::kDouble).contiguous();
  const double* data = all.const_data_ptr<double>();
  std::vector<double> result;
  result.reserve(size());
  for (const int64_t entry : entries) result.push_back(data[entry]);
  return result;
}

MaskedTokens masked_tokens(const at::Tensor& mask_T, const at::Tensor& token_id_T) {
  MaskedTokens tokens;
  tokens.entries = integers(at::nonzero(mask_T).flatten());
  const std::vector<int64_t> ids = integers(token_id_T);
  std::sort(tokens.entries.begin(), tokens.entries.end(), [&ids](int64_t a, int64_t b) {
    return ids[static_cast<size_t>(a)] < ids[static_cast<size_t>(b)];
  });
  for (const int64_t entry : tokens.entries) tokens.ids.push_back(ids[static_cast<size_t>(entry)]);
  return tokens;
}

std::vector<double> covariances(const std::vector<double>& logprob,
                                const std::vector<double>& advantage) {
  std::vector<double> result = centred(logprob);
  const std::vector<double> a = centred(advantage);
  for (size_t i = 0; i < result.size(); ++i) result[i] *= a[i];
  return result;
}

int64_t quota_of(double ratio, size_t num_tokens) {
  if (num_tokens == 0) return 0;
  return std::max<int64_t>(1, static_cast<int64_t>(ratio * static_cast<double>(num_tokens)));
}

at::Tensor mask_of(const MaskedTokens& tokens, const std::vector<int64_t>& indices,
                   const at::Tensor& like_T) {
  at::Tensor mask_T = at::zeros_like(like_T, at::kBool);
  bool* data = mask_T.mutable_data_ptr<bool>();
  for (const int64_t index : indices) data[tokens.entries[static_cast<size_t>(index)]] = true;
  return mask_T;
}

}  // namespace covrl
