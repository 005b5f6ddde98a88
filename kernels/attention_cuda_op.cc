// LibTorch's fused kernels, which know packed sequences and have gradients of their own: flash
// attention for 16 bits, with grouped queries; memory-efficient attention for float32, without.
#include <ATen/ATen.h>

#include "kernels/check.h"
#include "kernels/cuda_ops.h"

namespace covrl::kernels::cuda_ops {
namespace {

constexpr int64_t kCausalFromTopLeft = 1;  // of LibTorch's enum CustomMaskType

}  // namespace

at::Tensor attention(const at::Tensor& q_TQd, const at::Tensor& k_THd, const at::Tensor& v_THd,
                     const Packing& packing, double scale) {
  const at::Tensor& ends = packing.cu_seqlens_there;
  const at::Tensor q = q_TQd.contiguous(), k = k_THd.contiguous(), v = v_THd.contiguous();
  if (q.scalar_type() != at::kFloat)
    return std::get<0>(at::_flash_attention_forward(
        q, k, v, ends, ends, packing.longest, packing.longest,
        /*dropout_p=*/0, /*is_causal=*/true, /*return_debug_mask=*/false, scale));
  const int64_t group = q.size(1) / k.size(1);
  const auto one_batch = [](const at::Tensor& x) { return x.unsqueeze(0); };
  return std::get<0>(at::_efficient_attention_forward(
                         one_batch(q), one_batch(k.repeat_interleave(group, 1)),
                         one_batch(v.repeat_interleave(group, 1)), /*bias=*/{}, ends, ends,
                         packing.longest, packing.longest, /*dropout_p=*/0, kCausalFromTopLeft,
                         /*compute_log_sumexp=*/wants_gradient({q, k, v}), scale))
      .squeeze(0);
}

}  // namespace covrl::kernels::cuda_ops
