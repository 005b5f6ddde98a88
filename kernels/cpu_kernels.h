// The single-threaded inner loops of the CPU kernels, compiled once for each instruction set.
// op_cpu.cc cuts the work into ranges for threads and calls these; no result depends on the cut.
#pragma once

#include <cstdint>

namespace covrl::kernels {

inline constexpr int64_t kDepthBlock =
    128;  // products that one register accumulates before it is added to memory
inline constexpr int64_t kTokenBlock =
    32;  // rows that a sum over tokens takes before it is added to the total
inline constexpr int64_t kMaxPanelWidth = 32;

// C (+)= A B + bias for a depth of at most kDepthBlock. Each element of C is 0 + a_0 b_0 + a_1 b_1
// + ..., fused, in order; that sum replaces C or is added to it, then the bias is.
struct Product {
  const float* a = nullptr;  // element (row, depth) at row * a_row_stride + depth * a_depth_stride
  int64_t a_row_stride = 0;
  int64_t a_depth_stride = 1;
  const float* b = nullptr;  // panels of panel_width columns: element (depth, column) of a panel at
                             // depth * panel_width + column
  int64_t b_panel_stride = 0;  // floats from a panel to the next
  float* c = nullptr;
  int64_t c_row_stride = 0;
  const float* bias = nullptr;  // [columns] or null
  int64_t rows = 0, columns = 0, depth = 0;
  bool accumulate = false;
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
  int64_t tile_rows;  // rows of A that are multiplied together: the best divisor of a block of rows

  // Packs `count` <= panel_width rows that are contiguous in depth: panel[depth * panel_width +
  // row], zero beyond count.
  void (*pack_transposed)(const float* const* rows, int64_t count, int64_t depth, float* panel);
  // Packs `depth` rows of `count` <= panel_width columns: panel[depth * panel_width + column], zero
  // beyond count.
  void (*pack_rows)(const float* const* rows, int64_t count, int64_t depth, float* panel);
  void (*multiply)(const Product& product);

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
};

const CpuKernels& cpu_kernels();  // of isa()

}  // namespace covrl::kernels
