// The single-threaded inner loops of the CPU kernels, compiled once for each instruction set.
// op_cpu.cc cuts the work into ranges for threads and calls these; no result depends on the cut.
#pragma once

#include <cstdint>

#include "kernels/bfloat16.h"
#include "kernels/covariance_cpu.h"
#include "kernels/cpu_isa.h"

namespace covrl::kernels {

inline constexpr int64_t kDepthBlock =
    128;  // words of depth that one register accumulates before it is added to memory
inline constexpr int64_t kTokenBlock =
    32;  // rows that a sum over tokens takes before it is added to the total
inline constexpr int64_t kMaxPanelWidth = 32;

// C (+)= A B + bias, A and B in float32 or both in bfloat16, for a depth of at most depth_block().
// Each element of C is 0 + a_0 b_0 + a_1 b_1 + ..., fused, in order; that sum replaces C or is
// added to it, then the bias is. In bfloat16, depths are taken in pairs, the odd one first, as
// AVX512_BF16's instruction does: 0 + a_1 b_1 + a_0 b_0 + a_3 b_3 + ..., rounded to float32 at
// every step. That instruction takes subnormal numbers for zero; but for them, all instruction sets
// agree except AMX, whose instruction has an order of its own (simd/gemm_amx.h).
template <class Element>
struct ProductOf {
  const Element* a = nullptr;  // (row, depth) at row * a_row_stride + depth * a_depth_stride; one
                               // of them is 1; rows that lie depth by depth are read to
                               // whole_words(depth), finite there
  int64_t a_row_stride = 0;
  int64_t a_depth_stride = 1;
  const float* b = nullptr;    // packed: panels of panel_width columns of words (num_words()); word
                               // (w, column) of a panel at w * panel_width + column
  int64_t b_panel_stride = 0;  // words from a panel to the next
  float* c = nullptr;
  int64_t c_row_stride = 0;
  const float* bias = nullptr;  // [columns] or null
  int64_t rows = 0, columns = 0, depth = 0;
  bool accumulate = false;
};
using Product = ProductOf<float>;

// The same for one row of A and a B that is read in place, whole panels and whole steps of it:
// columns is a multiple of panel_width, depth of row_step(), of any size. The bits are those of
// blocks of depth_block(), the first put in place of C and the others added to it.
template <class Element>
struct RowProductOf {
  const Element* a = nullptr;
  const Element* b = nullptr;  // (depth, column) at depth + column * b_column_stride
  int64_t b_column_stride = 0;
  float* c = nullptr;
  const float* bias = nullptr;  // [columns] or null
  int64_t columns = 0, depth = 0;
};

// A packed word of 32 bits holds a float, or a pair of bfloat16 (the even depth in its low half; an
// odd depth at the end is paired with zero).
template <class Element>
inline constexpr int64_t kDepthsPerWord = sizeof(float) / sizeof(Element);
template <class Element>
static constexpr int64_t num_words(int64_t depth) {
  return (depth + kDepthsPerWord<Element> - 1) / kDepthsPerWord<Element>;
}
template <class Element>
static constexpr int64_t whole_words(int64_t depth) {  // depth rounded up to what words hold
  return num_words<Element>(depth) * kDepthsPerWord<Element>;
}
template <class Element>
static constexpr int64_t depth_block() {
  return kDepthBlock * kDepthsPerWord<Element>;
}
template <class Element>
static constexpr int64_t row_step() {  // depths that RowProductOf takes at once
  return 16 * kDepthsPerWord<Element>;
}

// Packing and product for one element type.
template <class Element>
struct ProductKernels {
  int64_t tile_rows;  // rows of A that are multiplied together: the best divisor of a block of rows
  // Packs `count` <= panel_width rows that are contiguous in depth: panel[word * panel_width +
  // row], zero beyond count.
  void (*pack_transposed)(const Element* const* rows, int64_t count, int64_t depth, float* panel);
  // Packs `depth` rows of `count` <= panel_width columns: panel[word * panel_width + column], zero
  // beyond count.
  void (*pack_rows)(const Element* const* rows, int64_t count, int64_t depth, float* panel);
  void (*multiply)(const ProductOf<Element>& product);
  void (*multiply_row)(const RowProductOf<Element>& product);  // or null
};

struct RmsNormRows {
  const float* x = nullptr;       // [rows, width]
  const float* weight = nullptr;  // [width]
  int64_t rows = 0, width = 0;
  float eps = 0;
  bool bfloat16 = false;     // round the normalised value before the weight is applied
  float* y = nullptr;        // [rows, width]; forward
  float* inverse = nullptr;  // [rows]: 1 / sqrt(mean(x^2) + eps); written by forward if not null,
                             // read by backward
  const float* grad_y = nullptr;
  float* grad_x = nullptr;       // [rows, width]
  float* grad_weight = nullptr;  // [width]: sum over these rows, overwritten
};

// Statistics of one query's softmax, and what its gradient needs.
struct SoftmaxGradient {
  float scale = 1, max = 0, inverse_sum = 1;
  float mean_gradient = 0;  // sum over keys of weight * gradient of weight
};

struct CpuKernels {
  int64_t panel_width;  // of packed B

  ProductKernels<Bfloat16> bfloat16;  // float32: the five members below
  int64_t tile_rows;
  void (*pack_transposed)(const float* const* rows, int64_t count, int64_t depth, float* panel);
  void (*pack_rows)(const float* const* rows, int64_t count, int64_t depth, float* panel);
  void (*multiply)(const Product& product);
  void (*multiply_row)(const RowProductOf<float>& product);

  // total[column] (+)= sum over rows of x[row * stride + column], rows in order; at most
  // kTokenBlock rows.
  void (*sum_rows)(const float* x, int64_t stride, int64_t rows, int64_t columns, bool accumulate,
                   float* total);

  void (*rms_norm)(const RmsNormRows& rows);
  void (*rms_norm_backward)(const RmsNormRows& rows);

  // y = x rotated by (cos, sin), or back (`direction` -1), for one token of `heads` heads; cos, sin
  // [size / 2].
  void (*rope)(const float* x, const float* cos, const float* sin, int64_t heads, int64_t size,
               float direction, float* y);

  void (*swiglu)(const float* gate, const float* up, int64_t count, float* y);
  void (*swiglu_backward)(const float* gate, const float* up, const float* grad_y, int64_t count,
                          float* grad_gate, float* grad_up);

  // Scores of one query become exp(scale score - max), zero from `count` to `padded`; sets max and
  // the sum.
  void (*softmax)(float* scores, int64_t count, int64_t padded, float scale, float& max,
                  float& sum);
  // x * factor + 0: the sum of a row turned into the mean, no negative zero.
  void (*scale)(float* x, int64_t count, float factor);
  float (*dot)(const float* a, const float* b, int64_t count);
  // weights = exp(scale score - max) inverse_sum; grad = weights (grad - mean_gradient) scale; both
  // zero from count to padded.
  void (*softmax_backward)(float* scores, float* grad, int64_t count, int64_t padded,
                           const SoftmaxGradient& row);

  CovarianceLoops<float> covariance_float;
  CovarianceLoops<double> covariance_double;
  SmallDraws small_draws;
};

const CpuKernels& cpu_kernels();         // of isa()
const CpuKernels& cpu_kernels(Isa isa);  // to be called where the processor has it

template <class Element>
ProductKernels<Element> product_kernels(const CpuKernels& kernels) {
  if constexpr (kDepthsPerWord<Element> == 1)
    return {kernels.tile_rows, kernels.pack_transposed, kernels.pack_rows, kernels.multiply,
            kernels.multiply_row};
  else
    return kernels.bfloat16;
}

}  // namespace covrl::kernels
