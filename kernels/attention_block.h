// Pieces that attention over packed sequences and over a cache share (attention_cpu.cc,
// decode_attention_cpu.cc).
#pragma once

#include <cstdint>

#include "kernels/cpu_kernels.h"

namespace covrl::kernels {

inline constexpr int64_t kQueryBlock =
    48;  // a multiple of every tile_rows; part of the order of sums in the backward pass

// Packed keys and values of one sequence and head.
struct PackedHead {
  const CpuKernels& kernels;
  int64_t size = 0;
  int64_t num_keys = 0;
  float scale = 1;
  const float* keys = nullptr;    // [key panels][size][panel_width]: scores = q keys
  const float* values = nullptr;  // [size panels][num_keys][panel_width]: output = weights values
};

// Queries; row r sees the first first_length + r * length_step keys.
struct QueryBlock {
  const float* q = nullptr;
  int64_t stride = 0;  // floats from a query to the next, of q and output
  int64_t rows = 0;
  int64_t first_length = 1;
  int64_t length_step = 1;

  int64_t length(int64_t row) const { return first_length + row * length_step; }
  int64_t num_keys() const { return length(rows - 1); }
  int64_t scores_stride() const { return (num_keys() + 15) / 16 * 16; }
};

// scores [rows, scores_stride] = q keys, unscaled.
void score_block(const PackedHead& head, const QueryBlock& block, float* scores);

// Where the results of a block go; the statistics are stride apart, or not wanted (null).
struct BlockOutput {
  float* output = nullptr;
  float *max = nullptr, *inverse_sum = nullptr;
  int64_t statistics_stride = 0;
};
void attend_block(const PackedHead& head, const QueryBlock& block, const BlockOutput& result);

}  // namespace covrl::kernels
