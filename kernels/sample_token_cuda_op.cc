#include <ATen/ATen.h>

#include <algorithm>

#include "kernels/cuda_launch.h"
#include "kernels/cuda_ops.h"
#include "kernels/sample_token_cuda.h"

namespace covrl::kernels::cuda_ops {
namespace {

template <class Value>
std::vector<Value> host_copy(const at::Tensor& tensor) {
  const at::Tensor host = tensor.cpu();
  const Value* data = host.const_data_ptr<Value>();
  return {data, data + host.numel()};
}

at::Tensor device_copy(const std::vector<double>& values, at::Device device) {
  const at::Tensor host = at::empty({static_cast<int64_t>(values.size())}, at::kDouble);
  std::copy(values.begin(), values.end(), host.data_ptr<double>());
  return host.to(device);
}

}  // namespace

SampledTokens sample_token(const at::Tensor& logits_BV, const SamplingFilter& filter,
                           const std::vector<double>& uniforms) {
  const at::Tensor logits = logits_BV.contiguous(),
                   uniforms_B = device_copy(uniforms, logits.device());
  const int64_t num_rows = logits.size(0);
  const at::Tensor token = at::empty({num_rows}, logits.options().dtype(at::kLong)),
                   results = at::empty({3, num_rows}, logits.options().dtype(at::kFloat));
  SampleTokenRows rows;
  rows.logits_BV = logits.const_data_ptr();
  rows.type = cuda_type(logits);
  rows.num_rows = num_rows;
  rows.num_ids = logits.size(1);
  rows.temperature = filter.temperature;
  rows.top_k = filter.top_k;
  rows.top_p = filter.top_p;
  rows.min_p = filter.min_p;
  rows.uniforms_B = uniforms_B.const_data_ptr<double>();
  rows.token_B = token.data_ptr<int64_t>();
  rows.logprob_B = results.data_ptr<float>();
  rows.filtered_logprob_B = rows.logprob_B + num_rows;
  rows.entropy_B = rows.filtered_logprob_B + num_rows;
  check_launch(sample_token_cuda(rows, stream_of(logits)), "sample_token", logits);

  const at::Tensor host = results.cpu();
  return {host_copy<int64_t>(token), host_copy<float>(host[0]), host_copy<float>(host[1]),
          host_copy<float>(host[2])};
}

}  // namespace covrl::kernels::cuda_ops
