// LibTorch's fused kernels, which know packed sequences and have gradients of their own: flash
// attention for 16 bits, with grouped queries; memory-efficient attention for float32, without.
#include <ATen/ATen.h>

#include <algorithm>

#include "kernels/check.h"
#include "kernels/cuda_ops.h"

namespace covrl::kernels::cuda_ops {
namespace {

constexpr int64_t kCausalFromTopLeft = 1;  // of LibTorch's enum CustomMaskType

struct Offsets {
  at::Tensor on_device;  // int32 [N+1]
  int64_t longest = 0;
};

Offsets offsets_of(const std::vector<int64_t>& cu_seqlens, at::Device device) {
  Offsets offsets;
  const at::Tensor host = at::empty({static_cast<int64_t>(cu_seqlens.size())}, at::kInt);
  std::transform(cu_seqlens.begin(), cu_seqlens.end(), host.data_ptr<int32_t>(),
                 [](int64_t offset) { return static_cast<int32_t>(offset); });
  for (size_t n = 1; n < cu_seqlens.size(); ++n)
    offsets.longest = std::max(offsets.longest, cu_seqlens[n] - cu_seqlens[n - 1]);
  offsets.on_device = host.to(device);
  return offsets;
}

}  // namespace

at::Tensor attention(const at::Tensor& q_TQd, const at::Tensor& k_THd, const at::Tensor& v_THd,
                     const std::vector<int64_t>& cu_seqlens, double scale) {
  const Offsets offsets = offsets_of(cu_seqlens, q_TQd.device());
  const at::Tensor q = q_TQd.contiguous(), k = k_THd.contiguous(), v = v_THd.contiguous();
  if (q.scalar_type() != at::kFloat)
    return std::get<0>(at::_flash_attention_forward(
        q, k, v, offsets.on_device, offsets.on_device, offsets.longest, offsets.longest,
        /*dropout_p=*/0, /*is_causal=*/true, /*return_debug_mask=*/false, scale));
  const int64_t group = q.size(1) / k.size(1);
  const auto one_batch = [](const at::Tensor& x) { return x.unsqueeze(0); };
  return std::get<0>(at::_efficient_attention_forward(
                         one_batch(q), one_batch(k.repeat_interleave(group, 1)),
                         one_batch(v.repeat_interleave(group, 1)), /*bias=*/{}, offsets.on_device,
                         offsets.on_device, offsets.longest, offsets.longest, /*dropout_p=*/0,
                         kCausalFromTopLeft, /*compute_log_sumexp=*/wants_gradient({q, k, v}),
                         scale))
      .squeeze(0);
}

}  // namespace covrl::kernels::cuda_ops
