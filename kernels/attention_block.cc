#include "kernels/attention_block.h"

#include "kernels/float_buffer.h"
#include "kernels/gemm_cpu.h"

namespace covrl::kernels {

void score_block(const PackedHead& head, const QueryBlock& block, float* scores) {
  multiply_deep(head.kernels, {.a = block.q,
                               .a_row_stride = block.stride,
                               .b = head.keys,
                               .b_panel_stride = head.size * head.kernels.panel_width,
                               .c = scores,
                               .c_row_stride = block.scores_stride(),
                               .rows = block.rows,
                               .columns = block.num_keys(),
                               .depth = head.size});
}

void attend_block(const PackedHead& head, const QueryBlock& block, const BlockOutput& result) {
  thread_local FloatBuffer buffer;
  const int64_t stride = block.scores_stride(), num_keys = block.num_keys();
  float* scores = buffer.reserve(block.rows * (stride + 1));
  float* inverse = scores + block.rows * stride;
  score_block(head, block, scores);
  for (int64_t row = 0; row < block.rows; ++row) {
    float max, sum;
    head.kernels.softmax(scores + row * stride, block.length(row), num_keys, head.scale, max, sum);
    inverse[row] = 1.0f / sum;
    if (result.max) {
      result.max[row * result.statistics_stride] = max;
      result.inverse_sum[row * result.statistics_stride] = inverse[row];
    }
  }
  // A weight of 0 beyond a query's own keys leaves its sum as it is.
  multiply_deep(head.kernels, {.a = scores,
                               .a_row_stride = stride,
                               .b = head.values,
                               .b_panel_stride = head.num_keys * head.kernels.panel_width,
                               .c = result.output,
                               .c_row_stride = block.stride,
                               .rows = block.rows,
                               .columns = head.size,
                               .depth = num_keys});
  for (int64_t row = 0; row < block.rows; ++row)
    head.kernels.scale(result.output + row * block.stride, head.size, inverse[row]);
}

}  // namespace covrl::kernels
