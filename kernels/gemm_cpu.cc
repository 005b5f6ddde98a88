#include "kernels/gemm_cpu.h"

#include <algorithm>

#include "kernels/float_buffer.h"
#include "kernels/parallel.h"

namespace covrl::kernels {
namespace {

constexpr int64_t kColumnBlock = 512;  // packed b of a block stays in the second-level cache
constexpr int64_t kFewRows =
    64;  // so few rows read b once: whole panels in turn, its rows from end to end
constexpr int64_t kProductsPerThread = 1 << 19;  // fewer are not worth waking a thread for

int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

// How threads share an output: `down` bands of rows times `across` bands of columns.
struct Grid {
  int64_t down = 1, across = 1;
};

// The grid whose largest part reads the fewest inputs.
Grid choose_grid(int64_t rows, int64_t columns, int64_t threads) {
  Grid best{threads, 1};
  int64_t lowest = -1;
  for (int64_t across = 1; across <= threads; ++across) {
    if (threads % across != 0) continue;
    const int64_t cost = ceil_div(rows * across, threads) + ceil_div(columns, across);
    if (lowest < 0 || cost < lowest) {
      lowest = cost;
      best = {threads / across, across};
    }
  }
  return best;
}

struct Range {
  int64_t begin, end;
};

// Band `index` of `count` over `size`, cut at multiples of `unit`.
Range band(int64_t size, int64_t count, int64_t index, int64_t unit) {
  const int64_t step = ceil_div(ceil_div(size, unit), count) * unit;
  return {std::min(size, index * step), std::min(size, (index + 1) * step)};
}

void multiply_band(const CpuKernels& kernels, const MatrixProduct& product, Range rows,
                   Range columns) {
  thread_local FloatBuffer buffer;
  const int64_t column_block =
      rows.end - rows.begin <= kFewRows ? kernels.panel_width : kColumnBlock;
  float* panels =
      buffer.reserve(packed_size(kernels, std::min(product.depth, kDepthBlock), column_block));
  for (int64_t column = columns.begin; column < columns.end; column += column_block) {
    const int64_t num_columns = std::min(column_block, columns.end - column);
    int64_t start = 0;
    do {
      const int64_t depth = std::min(kDepthBlock, product.depth - start);
      const bool last = start + depth == product.depth;
      pack_panels(kernels,
                  {product.b.at(start, column), product.b.row_stride, product.b.column_stride},
                  depth, num_columns, panels);
      kernels.multiply({.a = product.a.at(rows.begin, start),
                        .a_row_stride = product.a.row_stride,
                        .a_depth_stride = product.a.column_stride,
                        .b = panels,
                        .b_panel_stride = depth * kernels.panel_width,
                        .c = product.c + rows.begin * product.c_row_stride + column,
                        .c_row_stride = product.c_row_stride,
                        .bias = last && product.bias ? product.bias + column : nullptr,
                        .rows = rows.end - rows.begin,
                        .columns = num_columns,
                        .depth = depth,
                        .accumulate = start > 0});
      start += depth;
    } while (start < product.depth);
  }
}

}  // namespace

int64_t packed_size(const CpuKernels& kernels, int64_t depth, int64_t columns) {
  return ceil_div(columns, kernels.panel_width) * kernels.panel_width * depth;
}

void pack_panels(const CpuKernels& kernels, const MatrixView& b, int64_t depth, int64_t columns,
                 float* panels) {
  const float* rows[kDepthBlock];
  for (int64_t column = 0; column < columns; column += kernels.panel_width) {
    const int64_t count = std::min(kernels.panel_width, columns - column);
    float* panel = panels + column * depth;
    if (b.column_stride == 1) {
      for (int64_t start = 0; start < depth; start += kDepthBlock) {
        const int64_t block = std::min(kDepthBlock, depth - start);
        for (int64_t k = 0; k < block; ++k) rows[k] = b.at(start + k, column);
        kernels.pack_rows(rows, count, block, panel + start * kernels.panel_width);
      }
    } else {
      for (int64_t i = 0; i < count; ++i) rows[i] = b.at(0, column + i);
      kernels.pack_transposed(rows, count, depth, panel);
    }
  }
}

void multiply_deep(const CpuKernels& kernels, Product product) {
  const int64_t total = product.depth;
  int64_t start = 0;
  do {
    product.depth = std::min(kDepthBlock, total - start);
    kernels.multiply(product);
    product.a += product.depth * product.a_depth_stride;
    product.b += product.depth * kernels.panel_width;
    product.accumulate = true;
    start += product.depth;
  } while (start < total);
}

void matrix_product(const MatrixProduct& product) {
  const CpuKernels& kernels = cpu_kernels();
  const int64_t work = product.rows * product.columns * product.depth;
  const int64_t threads = std::clamp<int64_t>(work / kProductsPerThread, 1, num_threads());
  const Grid grid = choose_grid(product.rows, product.columns, threads);
  parallel_for(threads, 1, [&](int64_t begin, int64_t end) {
    for (int64_t part = begin; part < end; ++part) {
      const Range rows = band(product.rows, grid.down, part / grid.across, kernels.tile_rows);
      const Range columns =
          band(product.columns, grid.across, part % grid.across, kernels.panel_width);
      multiply_band(kernels, product, rows, columns);
    }
  });
}

}  // namespace covrl::kernels
