// The matrix product: packing of B and the register tile.
#pragma once

#include "kernels/cpu_kernels.h"
#include "kernels/simd/vec.h"

namespace covrl::kernels {
namespace {

#if defined(__AVX512F__)
constexpr int kTileRows = 12, kTileVectors = 2;
#elif defined(__AVX2__)
constexpr int kTileRows = 6, kTileVectors = 1;
#else
constexpr int kTileRows = 4, kTileVectors = 1;
#endif
constexpr int64_t kPanelWidth = kTileVectors * kLanes;
static_assert(kPanelWidth <= kMaxPanelWidth);

// Transposes 16 rows into columns out .. out + 15 for the depths that fill whole blocks of 16;
// returns how many.
static int64_t transpose_whole(const float* const* rows, int64_t depth, int64_t stride,
                               float* out) {
  int64_t k = 0;
  for (; k + kLanes <= depth; k += kLanes) {
    Vec block[kLanes];
#pragma GCC unroll 16
    for (int r = 0; r < kLanes; ++r) block[r] = load(rows[r] + k);
    transpose(block, out + k * stride, stride);
  }
  return k;
}

// Transposes `count` <= 16 rows into columns out .. out + 15, zero beyond count.
static void transpose_rows(const float* const* rows, int64_t count, int64_t depth, int64_t stride,
                           float* out) {
  for (int64_t k = count == kLanes ? transpose_whole(rows, depth, stride, out) : 0; k < depth;
       k += kLanes) {
    const int64_t left = depth - k < kLanes ? depth - k : kLanes;
    Vec block[kLanes];
    for (int r = 0; r < kLanes; ++r) block[r] = r < count ? load(rows[r] + k, left) : zero();
    float columns[kLanes * kLanes];
    transpose(block, columns, kLanes);
    for (int64_t i = 0; i < left; ++i) store(out + (k + i) * stride, load(columns + i * kLanes));
  }
}

static void pack_transposed(const float* const* rows, int64_t count, int64_t depth, float* panel) {
  for (int64_t column = 0; column < kPanelWidth; column += kLanes) {
    const int64_t here = count - column < 0 ? 0 : count - column < kLanes ? count - column : kLanes;
    transpose_rows(rows + column, here, depth, kPanelWidth, panel + column);
  }
}

static void pack_rows(const float* const* rows, int64_t count, int64_t depth, float* panel) {
  for (int64_t k = 0; k < depth; ++k, panel += kPanelWidth) {
    for (int64_t column = 0; column < kPanelWidth; column += kLanes) {
      const int64_t here = count - column;
      store(panel + column, here >= kLanes ? load(rows[k] + column)
                            : here > 0     ? load(rows[k] + column, here)
                                           : zero());
    }
  }
}

// One register tile: rows x (vectors * 16) sums. A is read in place, or from a sliver packed
// [depth][kTileRows].
struct Tile {
  const float* a;
  int64_t a_row_stride;
  const float* b;
  float* c;
  int64_t c_row_stride;
  const float* bias;
  int64_t columns, depth;
  bool accumulate;
};

template <int kRows, int kVectors>
COVRL_INLINE void finish_tile(const Tile& tile, const Vec (&sum)[kRows][kVectors]) {
#pragma GCC unroll 2
  for (int v = 0; v < kVectors; ++v) {
    const int64_t left = tile.columns - v * kLanes;
    const bool whole = left >= kLanes;
    Vec bias = zero();
    if (tile.bias) bias = whole ? load(tile.bias + v * kLanes) : load(tile.bias + v * kLanes, left);
#pragma GCC unroll 12
    for (int r = 0; r < kRows; ++r) {
      float* c = tile.c + r * tile.c_row_stride + v * kLanes;
      Vec value = sum[r][v];
      if (tile.accumulate) value = add(whole ? load(c) : load(c, left), value);
      if (tile.bias) value = add(value, bias);
      if (whole)
        store(c, value);
      else
        store(c, value, left);
    }
  }
}

template <int kRows, int kVectors, bool kPacked>
static void multiply_tile(const Tile& tile) {
  Vec sum[kRows][kVectors];
#pragma GCC unroll 12
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 2
    for (int v = 0; v < kVectors; ++v) sum[r][v] = zero();
  }
  const int64_t row_stride = kPacked ? 1 : tile.a_row_stride;
  const float* a = tile.a;
  const float* b = tile.b;
  for (int64_t k = 0; k < tile.depth; ++k) {
    Vec columns[kVectors];
#pragma GCC unroll 2
    for (int v = 0; v < kVectors; ++v) columns[v] = load(b + v * kLanes);
#pragma GCC unroll 12
    for (int r = 0; r < kRows; ++r) {
      const Vec factor = broadcast(a[r * row_stride]);
#pragma GCC unroll 2
      for (int v = 0; v < kVectors; ++v) sum[r][v] = fma(factor, columns[v], sum[r][v]);
    }
    a += kPacked ? kTileRows : 1;
    b += kPanelWidth;
  }
  finish_tile<kRows, kVectors>(tile, sum);
}

using TileFunction = void (*)(const Tile&);

template <int kVectors, bool kPacked>
COVRL_INLINE TileFunction tile_of_rows(int64_t rows) {
#if defined(__AVX512F__)
  static constexpr TileFunction functions[kTileRows] = {
      multiply_tile<1, kVectors, kPacked>,  multiply_tile<2, kVectors, kPacked>,
      multiply_tile<3, kVectors, kPacked>,  multiply_tile<4, kVectors, kPacked>,
      multiply_tile<5, kVectors, kPacked>,  multiply_tile<6, kVectors, kPacked>,
      multiply_tile<7, kVectors, kPacked>,  multiply_tile<8, kVectors, kPacked>,
      multiply_tile<9, kVectors, kPacked>,  multiply_tile<10, kVectors, kPacked>,
      multiply_tile<11, kVectors, kPacked>, multiply_tile<12, kVectors, kPacked>};
#elif defined(__AVX2__)
  static constexpr TileFunction functions[kTileRows] = {
      multiply_tile<1, kVectors, kPacked>, multiply_tile<2, kVectors, kPacked>,
      multiply_tile<3, kVectors, kPacked>, multiply_tile<4, kVectors, kPacked>,
      multiply_tile<5, kVectors, kPacked>, multiply_tile<6, kVectors, kPacked>};
#else
  static constexpr TileFunction functions[kTileRows] = {
      multiply_tile<1, kVectors, kPacked>, multiply_tile<2, kVectors, kPacked>,
      multiply_tile<3, kVectors, kPacked>, multiply_tile<4, kVectors, kPacked>};
#endif
  return functions[rows - 1];
}

// The rows of a tile side by side, [depth][kTileRows], where A is contiguous in rows.
COVRL_INLINE void pack_sliver(const Product& product, int64_t row, int64_t rows, float* sliver) {
  const float* a = product.a + row * product.a_row_stride;
  for (int64_t k = 0; k < product.depth; ++k) {
    for (int64_t r = 0; r < rows; ++r)
      sliver[k * kTileRows + r] = a[r * product.a_row_stride + k * product.a_depth_stride];
  }
}

static void multiply(const Product& product) {
  float sliver[kTileRows * kDepthBlock];
  const bool packed = product.a_depth_stride != 1;
  for (int64_t row = 0; row < product.rows; row += kTileRows) {
    const int64_t rows = product.rows - row < kTileRows ? product.rows - row : kTileRows;
    if (packed) pack_sliver(product, row, rows, sliver);
    const TileFunction wide =
        packed ? tile_of_rows<kTileVectors, true>(rows) : tile_of_rows<kTileVectors, false>(rows);
    const TileFunction narrow = packed ? tile_of_rows<1, true>(rows) : tile_of_rows<1, false>(rows);
    Tile tile{packed ? sliver : product.a + row * product.a_row_stride,
              product.a_row_stride,
              product.b,
              nullptr,
              product.c_row_stride,
              nullptr,
              0,
              product.depth,
              product.accumulate};
    for (int64_t column = 0; column < product.columns;
         column += kPanelWidth, tile.b += product.b_panel_stride) {
      tile.c = product.c + row * product.c_row_stride + column;
      tile.bias = product.bias ? product.bias + column : nullptr;
      tile.columns = product.columns - column;
      (tile.columns > kLanes ? wide : narrow)(tile);
    }
  }
}

static void sum_rows(const float* x, int64_t stride, int64_t rows, int64_t columns, bool accumulate,
                     float* total) {
  for (int64_t column = 0; column < columns; column += kLanes) {
    const int64_t left = columns - column < kLanes ? columns - column : kLanes;
    Vec sum = zero();
    for (int64_t row = 0; row < rows; ++row) sum = add(sum, load(x + row * stride + column, left));
    if (accumulate) sum = add(load(total + column, left), sum);
    store(total + column, sum, left);
  }
}

}  // namespace
}  // namespace covrl::kernels
