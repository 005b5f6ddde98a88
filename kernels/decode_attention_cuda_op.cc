#include <ATen/ATen.h>

#include "kernels/cuda_launch.h"
#include "kernels/cuda_ops.h"
#include "kernels/decode_attention_cuda.h"
#include "kernels/reference.h"

namespace covrl::kernels::cuda_ops {

at::Tensor decode_attention(const at::Tensor& q_BQd, const PagedCache& cache,
                            const at::Tensor& block_table_BM, const at::Tensor& lengths_B,
                            double scale) {
  if (q_BQd.size(2) > kMaxDecodeHeadSize)
    return reference::decode_attention(q_BQd, cache, block_table_BM, lengths_B, scale);
  const at::Tensor q = q_BQd.contiguous(), table = block_table_BM.contiguous(),
                   lengths = lengths_B.contiguous(), output = at::empty_like(q);
  DecodeAttentionForward sequences;
  sequences.q_BQd = q.const_data_ptr();
  sequences.k_PSHd = cache.k_PSHd.const_data_ptr();
  sequences.v_PSHd = cache.v_PSHd.const_data_ptr();
  sequences.output_BQd = output.data_ptr();
  sequences.type = cuda_type(q);
  sequences.block_table_BM = table.const_data_ptr<int32_t>();
  sequences.lengths_B = lengths.const_data_ptr<int32_t>();
  sequences.batch = q.size(0);
  sequences.max_pages = table.size(1);
  sequences.page_size = cache.k_PSHd.size(1);
  sequences.query_heads = q.size(1);
  sequences.key_heads = cache.k_PSHd.size(2);
  sequences.head_size = q.size(2);
  sequences.scale = static_cast<float>(scale);
  const at::Tensor partial =
      at::empty({decode_attention_partial(sequences)}, q.options().dtype(at::kFloat));
  sequences.partial = partial.data_ptr<float>();
  check_launch(decode_attention_cuda(sequences, stream_of(q)), "decode_attention", q);
  return output;
}

}  // namespace covrl::kernels::cuda_ops
