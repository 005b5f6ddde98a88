#include <algorithm>
#include <bit>
#include <numeric>
#include <vector>

#include "kernels/attention_block.h"
#include "kernels/attention_cpu.h"
#include "kernels/float_buffer.h"
#include "kernels/gemm_cpu.h"
#include "kernels/parallel.h"

namespace covrl::kernels {
namespace {

constexpr int64_t kProductsPerThread = 1 << 18;

// Rows of one sequence and head in a cache tensor.
class CachedRows {
 public:
  CachedRows(const HeadShape& shape, const DecodeAttention& tensors, int64_t sequence,
             int64_t key_head)
      : shape_(shape),
        tensors_(tensors),
        pages_(tensors.block_table + sequence * tensors.max_pages),
        key_head_(key_head) {}

  // Pointers to the rows of keys 0 .. num_keys-1; bfloat16 is widened into `wide` first.
  void find(const void* data, int64_t num_keys, FloatBuffer& wide,
            std::vector<const float*>& rows) const {
    rows.resize(static_cast<size_t>(num_keys));
    float* copy = tensors_.bfloat16 ? wide.reserve(num_keys * shape_.size) : nullptr;
    for (int64_t first = 0, page = 0; first < num_keys; first += tensors_.page_size, ++page) {
      int64_t offset =
          pages_[page] * tensors_.page_size * shape_.key_width() + key_head_ * shape_.size;
      const int64_t end = std::min(num_keys, first + tensors_.page_size);
      for (int64_t key = first; key < end; ++key, offset += shape_.key_width())
        rows[key] =
            copy ? widen(static_cast<const uint16_t*>(data) + offset, copy + key * shape_.size)
                 : prefetch(static_cast<const float*>(data) + offset);
    }
  }

 private:
  const float* widen(const uint16_t* bfloat16, float* row) const {
    for (int64_t i = 0; i < shape_.size; ++i)
      row[i] = std::bit_cast<float>(static_cast<uint32_t>(bfloat16[i]) << 16);
    return row;
  }

  const float* prefetch(const float* row) const {
    for (int64_t i = 0; i < shape_.size; i += 16)
      __builtin_prefetch(row + i, /*write=*/0, /*locality=*/2);
    return row;
  }

  const HeadShape& shape_;
  const DecodeAttention& tensors_;
  const int32_t* pages_;
  int64_t key_head_;
};

const float* pack_keys(const CpuKernels& kernels, const std::vector<const float*>& rows,
                       int64_t size, FloatBuffer& buffer) {
  const int64_t num_keys = static_cast<int64_t>(rows.size());
  float* panels = buffer.reserve(packed_size(kernels, size, num_keys));
  for (int64_t key = 0; key < num_keys; key += kernels.panel_width)
    kernels.pack_transposed(rows.data() + key, std::min(kernels.panel_width, num_keys - key), size,
                            panels + key * size);
  return panels;
}

// Moves the row pointers along.
const float* pack_values(const CpuKernels& kernels, std::vector<const float*>& rows, int64_t size,
                         FloatBuffer& buffer) {
  const int64_t num_keys = static_cast<int64_t>(rows.size());
  float* panels = buffer.reserve(packed_size(kernels, num_keys, size));
  for (int64_t column = 0; column < size; column += kernels.panel_width) {
    kernels.pack_rows(rows.data(), std::min(kernels.panel_width, size - column), num_keys,
                      panels + column * num_keys);
    for (const float*& row : rows) row += kernels.panel_width;
  }
  return panels;
}

void decode_one(const HeadShape& shape, const DecodeAttention& tensors, int64_t sequence,
                int64_t key_head) {
  thread_local FloatBuffer keys, values, wide;
  thread_local std::vector<const float*> rows;
  const CpuKernels& kernels = cpu_kernels();
  const int64_t num_keys = tensors.lengths[sequence];
  const CachedRows cached(shape, tensors, sequence, key_head);
  PackedHead packed{kernels, shape.size, num_keys, shape.scale};
  cached.find(tensors.k, num_keys, wide, rows);
  packed.keys = pack_keys(kernels, rows, shape.size, keys);
  cached.find(tensors.v, num_keys, wide, rows);
  packed.values = pack_values(kernels, rows, shape.size, values);
  const int64_t offset = sequence * shape.query_width() + key_head * shape.group() * shape.size;
  QueryBlock block;
  block.q = tensors.q + offset;
  block.stride = shape.size;
  block.rows = shape.group();
  block.first_length = num_keys;
  block.length_step = 0;
  BlockOutput result;
  result.output = tensors.output + offset;
  attend_block(packed, block, result);
}

}  // namespace

void decode_attention_cpu(const HeadShape& shape, const DecodeAttention& tensors) {
  const int64_t num_tasks = tensors.batch * shape.key_heads;
  const int64_t num_keys =
      std::accumulate(tensors.lengths, tensors.lengths + tensors.batch, int64_t{0});
  const int64_t work = std::max<int64_t>(num_keys * shape.query_width() * 2, 1);
  parallel_for(num_tasks, num_tasks * kProductsPerThread / work + 1,
               [&](int64_t begin, int64_t end) {
                 for (int64_t index = begin; index < end; ++index)
                   decode_one(shape, tensors, index / shape.key_heads, index % shape.key_heads);
               });
}

}  // namespace covrl::kernels
