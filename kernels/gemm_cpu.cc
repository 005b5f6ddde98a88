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

// Columns `column` .. of b for the depths `start` .., packed, and the words between its panels.
struct PackedBlock {
  const float* panels;
  int64_t panel_stride;
};

template <class Element>
PackedBlock packed_block(const CpuKernels& kernels, const MatrixProductOf<Element>& product,
                         int64_t start, int64_t depth, int64_t column, int64_t columns,
                         float* buffer) {
  if (product.packed_b) {
    const int64_t words = num_words<Element>(product.depth);
    return {product.packed_b + column * words + num_words<Element>(start) * kernels.panel_width,
            words * kernels.panel_width};
  }
  const MatrixViewOf<Element>& b = product.b;
  pack_panels<Element>(kernels, {b.at(start, column), b.row_stride, b.column_stride}, depth,
                       columns, buffer);
  return {buffer, num_words<Element>(depth) * kernels.panel_width};
}

template <class Element>
void multiply_band(const CpuKernels& kernels, const MatrixProductOf<Element>& product, Range rows,
                   Range columns) {
  thread_local FloatBuffer buffer;
  constexpr int64_t kBlock = depth_block<Element>();
  const auto multiply = product_kernels<Element>(kernels).multiply;
  const bool read_once = !product.packed_b && rows.end - rows.begin <= kFewRows;
  const int64_t column_block = read_once ? kernels.panel_width : kColumnBlock;
  float* panels =
      buffer.reserve(packed_size<Element>(kernels, std::min(product.depth, kBlock), column_block));
  for (int64_t column = columns.begin; column < columns.end; column += column_block) {
    const int64_t num_columns = std::min(column_block, columns.end - column);
    int64_t start = 0;
    do {
      const int64_t depth = std::min(kBlock, product.depth - start);
      const bool last = start + depth == product.depth;
      const PackedBlock block =
          packed_block(kernels, product, start, depth, column, num_columns, panels);
      multiply({.a = product.a.at(rows.begin, start),
                .a_row_stride = product.a.row_stride,
                .a_depth_stride = product.a.column_stride,
                .b = block.panels,
                .b_panel_stride = block.panel_stride,
                .c = product.c + rows.begin * product.c_row_stride + column,
                .c_row_stride = product.c_row_stride,
                .bias = last && product.bias ? product.bias + column : nullptr,
                .rows = rows.end - rows.begin,
                .columns = num_columns,
                .depth = depth,
                .accumulate = start > 0 || product.accumulate});
      start += depth;
    } while (start < product.depth);
  }
}

// One row of a reads b once: where it can it does so in place, without packing. Returns how many of
// the columns that took.
template <class Element>
int64_t multiply_in_place(const CpuKernels& kernels, const MatrixProductOf<Element>& product,
                          Range rows, Range columns) {
  const auto multiply_row = product_kernels<Element>(kernels).multiply_row;
  const bool one_row = rows.end - rows.begin == 1 && !product.accumulate;
  const bool contiguous = product.a.column_stride == 1 && product.b.row_stride == 1;
  const bool whole_steps = product.depth > 0 && product.depth % row_step<Element>() == 0;
  if (!multiply_row || !one_row || product.packed_b || !contiguous || !whole_steps) return 0;
  const int64_t width = kernels.panel_width;
  const int64_t count = (columns.end - columns.begin) / width * width;
  multiply_row({.a = product.a.at(rows.begin, 0),
                .b = product.b.at(0, columns.begin),
                .b_column_stride = product.b.column_stride,
                .c = product.c + rows.begin * product.c_row_stride + columns.begin,
                .bias = product.bias ? product.bias + columns.begin : nullptr,
                .columns = count,
                .depth = product.depth});
  return count;
}

template <class Element>
void multiply_on_threads(const MatrixProductOf<Element>& product) {
  const CpuKernels& kernels = cpu_kernels();
  const int64_t work = product.rows * product.columns * num_words<Element>(product.depth);
  const int64_t threads = std::clamp<int64_t>(work / kProductsPerThread, 1, num_threads());
  const Grid grid = choose_grid(product.rows, product.columns, threads);
  const int64_t tile_rows = product_kernels<Element>(kernels).tile_rows;
  parallel_for(threads, 1, [&](int64_t begin, int64_t end) {
    for (int64_t part = begin; part < end; ++part) {
      const Range rows = band(product.rows, grid.down, part / grid.across, tile_rows);
      Range columns = band(product.columns, grid.across, part % grid.across, kernels.panel_width);
      columns.begin += multiply_in_place(kernels, product, rows, columns);
      multiply_band(kernels, product, rows, columns);
    }
  });
}

}  // namespace

template <class Element>
void pack_panels(const CpuKernels& kernels, const MatrixViewOf<Element>& b, int64_t depth,
                 int64_t columns, float* panels) {
  const ProductKernels<Element> packers = product_kernels<Element>(kernels);
  constexpr int64_t kBlock = depth_block<Element>();
  const int64_t words = num_words<Element>(depth);
  const Element* rows[kBlock];
  for (int64_t column = 0; column < columns; column += kernels.panel_width) {
    const int64_t count = std::min(kernels.panel_width, columns - column);
    float* panel = panels + column * words;
    if (b.column_stride == 1) {
      for (int64_t start = 0; start < depth; start += kBlock) {
        const int64_t block = std::min(kBlock, depth - start);
        for (int64_t k = 0; k < block; ++k) rows[k] = b.at(start + k, column);
        packers.pack_rows(rows, count, block,
                          panel + num_words<Element>(start) * kernels.panel_width);
      }
    } else {
      for (int64_t i = 0; i < count; ++i) rows[i] = b.at(0, column + i);
      packers.pack_transposed(rows, count, depth, panel);
    }
  }
}

template <class Element>
void pack_matrix(const CpuKernels& kernels, const MatrixViewOf<Element>& b, int64_t depth,
                 int64_t columns, float* panels) {
  constexpr int64_t kWordsPerThread = 1 << 16;
  const int64_t width = kernels.panel_width, words = num_words<Element>(depth);
  parallel_for(ceil_div(columns, width), kWordsPerThread / std::max<int64_t>(1, words * width) + 1,
               [&](int64_t begin, int64_t end) {
                 const int64_t first = begin * width;
                 pack_panels<Element>(kernels, {b.at(0, first), b.row_stride, b.column_stride},
                                      depth, std::min(end * width, columns) - first,
                                      panels + first * words);
               });
}

template void pack_panels(const CpuKernels&, const MatrixViewOf<float>&, int64_t, int64_t, float*);
template void pack_panels(const CpuKernels&, const MatrixViewOf<Bfloat16>&, int64_t, int64_t,
                          float*);
template void pack_matrix(const CpuKernels&, const MatrixViewOf<float>&, int64_t, int64_t, float*);
template void pack_matrix(const CpuKernels&, const MatrixViewOf<Bfloat16>&, int64_t, int64_t,
                          float*);

void matrix_product(const MatrixProductOf<float>& product) { multiply_on_threads(product); }
void matrix_product(const MatrixProductOf<Bfloat16>& product) { multiply_on_threads(product); }

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

}  // namespace covrl::kernels
