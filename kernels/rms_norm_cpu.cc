#include "kernels/rms_norm_cpu.h"

#include <algorithm>
#include <vector>

#include "kernels/parallel.h"

namespace covrl::kernels {
namespace {

constexpr int64_t kElementsPerThread = 1 << 15;

// Rows begin .. end-1 alone.
RmsNormRows slice(RmsNormRows rows, int64_t begin, int64_t end) {
  const int64_t offset = begin * rows.width;
  rows.rows = end - begin;
  rows.x += offset;
  if (rows.y) rows.y += offset;
  if (rows.inverse) rows.inverse += begin;
  if (rows.grad_y) rows.grad_y += offset;
  if (rows.grad_x) rows.grad_x += offset;
  return rows;
}

}  // namespace

void rms_norm_cpu(const RmsNormRows& rows) {
  const CpuKernels& kernels = cpu_kernels();
  parallel_for(rows.rows, kElementsPerThread / rows.width + 1,
               [&](int64_t begin, int64_t end) { kernels.rms_norm(slice(rows, begin, end)); });
}

void rms_norm_backward_cpu(const RmsNormRows& rows) {
  const CpuKernels& kernels = cpu_kernels();
  const int64_t num_blocks = (rows.rows + kTokenBlock - 1) / kTokenBlock;
  std::vector<float> block_sums(static_cast<size_t>(num_blocks * rows.width));
  const int64_t blocks_per_thread = kElementsPerThread / (rows.width * kTokenBlock) + 1;
  parallel_for(num_blocks, blocks_per_thread, [&](int64_t begin, int64_t end) {
    for (int64_t block = begin; block < end; ++block) {
      const int64_t first = block * kTokenBlock;
      RmsNormRows part = slice(rows, first, std::min(rows.rows, first + kTokenBlock));
      part.grad_weight = block_sums.data() + block * rows.width;
      kernels.rms_norm_backward(part);
    }
  });
  std::fill(rows.grad_weight, rows.grad_weight + rows.width, 0.0f);
  for (int64_t block = 0; block < num_blocks; block += kTokenBlock) {
    kernels.sum_rows(block_sums.data() + block * rows.width, rows.width,
                     std::min(kTokenBlock, num_blocks - block), rows.width,
                     /*accumulate=*/block > 0, rows.grad_weight);
  }
}

}  // namespace covrl::kernels
