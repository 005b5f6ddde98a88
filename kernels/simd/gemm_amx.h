// The product of bfloat16 matrices on AMX tiles: a tile has up to 16 rows of up to 64 bytes, so it
// holds 16 x 16 sums in float32, 16 words of depth of 16 rows of A, or of 16 columns of B. Where
// rows or depth end, tiles are configured smaller, so that nothing beyond is read.
//
// Order of sums, that of the instruction (Intel SDM, TDPBF16PS): a step of 32 depths adds up the
// products of the even ones, and those of the odd ones, each 0 + a b + ..., fused, in order; the
// two sums are added, then added to the sum of the steps before. What whole steps leave of the
// depth is a step of its own, added to C after them. Subnormal numbers are taken for zero.
#pragma once

#include "kernels/cpu_kernels.h"
#include "kernels/simd/vec.h"

namespace covrl::kernels {
namespace {

constexpr int64_t kTileRows = 16, kStepWords = 16;
constexpr int64_t kStepDepths = kStepWords * kDepthsPerWord<Bfloat16>;
constexpr int64_t kBlockRows = 2 * kTileRows, kPanelWidth = 2 * kLanes;
constexpr int64_t kWordBytes = sizeof(float);
static_assert(kPanelWidth == kMaxPanelWidth);

// Tiles: 0 .. 3 the sums of a block of 2 x 2 tiles, row by row; then two of A and two of B.
constexpr int kTileA = 4, kTileB = 6;

// What ldtilecfg reads: palette 1, and of each tile the bytes of a row and the rows. A tile without
// rows is not there.
struct alignas(64) TileConfig {
  uint8_t palette = 1, start_row = 0;
  uint8_t reserved[14] = {};
  uint16_t row_bytes[16] = {};
  uint8_t rows[16] = {};

  void set(int tile, int64_t num_rows, int64_t words) {
    if (num_rows <= 0) return;
    rows[tile] = static_cast<uint8_t>(num_rows < kTileRows ? num_rows : kTileRows);
    row_bytes[tile] = static_cast<uint16_t>(words * kWordBytes);
  }
};
static_assert(sizeof(TileConfig) == 64);

// The instructions. The compiler's own forms (g++ 12) do not say what memory they read.
COVRL_INLINE void configure_tiles(const TileConfig& config) {
  asm volatile("ldtilecfg %0" : : "m"(config) : "memory");
}
COVRL_INLINE void release_tiles() { asm volatile("tilerelease" : : : "memory"); }
template <int kTile>
COVRL_INLINE void zero_tile() {
  asm volatile("tilezero %%tmm%c0" : : "i"(kTile));
}
template <int kTile>
COVRL_INLINE void load_tile(const void* rows, int64_t stride) {
  asm volatile("tileloadd (%1,%2,1), %%tmm%c0" : : "i"(kTile), "r"(rows), "r"(stride) : "memory");
}
template <int kTile>
COVRL_INLINE void store_tile(void* rows, int64_t stride) {
  asm volatile("tilestored %%tmm%c0, (%1,%2,1)" : : "i"(kTile), "r"(rows), "r"(stride) : "memory");
}
template <int kSum, int kA, int kB>
COVRL_INLINE void multiply_tiles() {
  asm volatile("tdpbf16ps %%tmm%c2, %%tmm%c1, %%tmm%c0" : : "i"(kSum), "i"(kA), "i"(kB));
}

// Up to 32 rows of A by a panel of B, for `steps` steps of equal depth; sums [kBlockRows,
// kPanelWidth].
struct Block {
  const char* a;
  int64_t a_row_stride;  // bytes
  const float* b;
  int64_t steps;
  float* sums;
};

template <int kDown, int kAcross>
COVRL_INLINE void add_step(const char* a, int64_t a_row_stride, const float* b) {
  constexpr int64_t kStride = kPanelWidth * kWordBytes;
  load_tile<kTileB>(b, kStride);
  load_tile<kTileA>(a, a_row_stride);
  multiply_tiles<0, kTileA, kTileB>();
  if constexpr (kAcross == 2) {
    load_tile<kTileB + 1>(b + kLanes, kStride);
    multiply_tiles<1, kTileA, kTileB + 1>();
  }
  if constexpr (kDown == 2) {
    load_tile<kTileA + 1>(a + kTileRows * a_row_stride, a_row_stride);
    multiply_tiles<2, kTileA + 1, kTileB>();
    if constexpr (kAcross == 2) multiply_tiles<3, kTileA + 1, kTileB + 1>();
  }
}

template <int kDown, int kAcross>
static void sum_block(const Block& block) {
  zero_tile<0>();
  if constexpr (kAcross == 2) zero_tile<1>();
  if constexpr (kDown == 2) zero_tile<2>();
  if constexpr (kDown == 2 && kAcross == 2) zero_tile<3>();
  for (int64_t step = 0; step < block.steps; ++step)
    add_step<kDown, kAcross>(block.a + step * kStepWords * kWordBytes, block.a_row_stride,
                             block.b + step * kStepWords * kPanelWidth);
  constexpr int64_t kStride = kPanelWidth * kWordBytes;
  float* below = block.sums + kTileRows * kPanelWidth;
  store_tile<0>(block.sums, kStride);
  if constexpr (kAcross == 2) store_tile<1>(block.sums + kLanes, kStride);
  if constexpr (kDown == 2) store_tile<2>(below, kStride);
  if constexpr (kDown == 2 && kAcross == 2) store_tile<3>(below + kLanes, kStride);
}

COVRL_INLINE void sum_block(const Block& block, bool down, bool across) {
  if (down)
    (across ? sum_block<2, 2> : sum_block<2, 1>)(block);
  else
    (across ? sum_block<1, 2> : sum_block<1, 1>)(block);
}

// Sums of `rows` rows from `row` and of the panel at `column` into C.
static void finish_block(const ProductOf<Bfloat16>& product, int64_t row, int64_t rows,
                         int64_t column, const float* sums) {
  for (int64_t first = 0; first < kPanelWidth && column < product.columns;
       first += kLanes, column += kLanes) {
    const int64_t left = product.columns - column, count = left < kLanes ? left : kLanes;
    const Vec bias = product.bias ? load(product.bias + column, count) : zero();
    float* c = product.c + row * product.c_row_stride + column;
    for (int64_t r = 0; r < rows; ++r, c += product.c_row_stride) {
      Vec value = load(sums + r * kPanelWidth + first);
      if (product.accumulate) value = add(load(c, count), value);
      if (product.bias) value = add(value, bias);
      store(c, value, count);
    }
  }
}

// Word `word` of `count` rows of an A that is contiguous in rows; zero beyond the depth.
COVRL_INLINE Vec word_of_rows(const ProductOf<Bfloat16>& product, int64_t row, int64_t count,
                              int64_t word) {
  const int64_t depth = word * kDepthsPerWord<Bfloat16>;
  if (depth >= product.depth) return zero();
  const Bfloat16* even = product.a + row * product.a_row_stride + depth * product.a_depth_stride;
  const bool paired = depth + 1 < product.depth;
  return pair(load(even, count), paired ? load(even + product.a_depth_stride, count) : zero());
}

// Such rows as [row][kDepthBlock words].
static void pack_block(const ProductOf<Bfloat16>& product, int64_t row, int64_t rows,
                       float* packed) {
  for (int64_t first = 0; first < rows; first += kLanes) {
    const int64_t count = rows - first < kLanes ? rows - first : kLanes;
    for (int64_t word = 0; word < num_words<Bfloat16>(product.depth); word += kLanes) {
      Vec words[kLanes];
      for (int64_t i = 0; i < kLanes; ++i)
        words[i] = word_of_rows(product, row + first, count, word + i);
      transpose(words, packed + first * kDepthBlock + word, kDepthBlock);
    }
  }
}

static void configure_for(int64_t rows, int64_t words) {
  TileConfig config;
  for (int down = 0; down < 2; ++down) {
    config.set(2 * down, rows - down * kTileRows, kLanes);
    config.set(2 * down + 1, rows - down * kTileRows, kLanes);
    config.set(kTileA + down, rows - down * kTileRows, words);
    config.set(kTileB + down, words, kLanes);
  }
  configure_tiles(config);
}

// A depth that is a multiple of a step's, or less than one.
static void multiply_steps(const ProductOf<Bfloat16>& product) {
  alignas(64) float packed_a[kBlockRows * kDepthBlock], sums[kBlockRows * kPanelWidth];
  const int64_t words = num_words<Bfloat16>(product.depth);
  const bool half_word = product.depth % kDepthsPerWord<Bfloat16> != 0;
  const bool packed = product.a_depth_stride != 1 || (product.a_row_stride == 1 && half_word);
  const int64_t row_bytes = product.a_row_stride * static_cast<int64_t>(sizeof(Bfloat16));
  for (int64_t row = 0; row < product.rows; row += kBlockRows) {
    const int64_t rows = product.rows - row < kBlockRows ? product.rows - row : kBlockRows;
    if (packed) pack_block(product, row, rows, packed_a);
    const void* in_place = product.a + row * product.a_row_stride;
    Block block{static_cast<const char*>(packed ? packed_a : in_place),
                packed ? kDepthBlock * kWordBytes : row_bytes, product.b,
                (words + kStepWords - 1) / kStepWords, sums};
    configure_for(rows, words > 0 && words < kStepWords ? words : kStepWords);
    for (int64_t column = 0; column < product.columns;
         column += kPanelWidth, block.b += product.b_panel_stride) {
      sum_block(block, rows > kTileRows, product.columns - column > kLanes);
      finish_block(product, row, rows, column, sums);
    }
  }
  release_tiles();
}

static void multiply_on_tiles(const ProductOf<Bfloat16>& product) {
  const int64_t rest = product.depth % kStepDepths, whole = product.depth - rest;
  ProductOf<Bfloat16> part = product;
  if (whole > 0 || rest == 0) {
    part.depth = whole;
    if (rest > 0) part.bias = nullptr;
    multiply_steps(part);
  }
  if (rest > 0) {
    part.a = product.a + whole * product.a_depth_stride;
    part.b = product.b + num_words<Bfloat16>(whole) * kPanelWidth;
    part.bias = product.bias;
    part.depth = rest;
    part.accumulate = product.accumulate || whole > 0;
    multiply_steps(part);
  }
}

}  // namespace
}  // namespace covrl::kernels
