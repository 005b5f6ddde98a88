// The matrix product: packing of B and the register tile.
#pragma once

#include <type_traits>
#include <utility>

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

// What a word of packed matrices holds, and how two of them are multiplied: in kParts steps, each a
// fused multiply-add of one float a lane.
struct FloatWord {
  static constexpr int kParts = 1;
  COVRL_INLINE Vec part(Vec words, int) { return words; }
  COVRL_INLINE Vec multiply(Vec a, Vec b, Vec sum) { return fma(a, b, sum); }
};

struct PairWord {
#if defined(__AVX512BF16__)
  static constexpr int kParts = 1;
  COVRL_INLINE Vec part(Vec words, int) { return words; }
  COVRL_INLINE Vec multiply(Vec a, Vec b, Vec sum) {
    return _mm512_dpbf16_ps(sum, (__m512bh)a, (__m512bh)b);
  }
#else
  static constexpr int kParts = 2;
  COVRL_INLINE Vec part(Vec words, int part) {
    return part == 0 ? odd_half(words) : even_half(words);
  }
  COVRL_INLINE Vec multiply(Vec a, Vec b, Vec sum) { return fma(a, b, sum); }
#endif
};

template <class Element>
using WordOf = std::conditional_t<kDepthsPerWord<Element> == 1, FloatWord, PairWord>;

// 16 words of a row that is contiguous in depth, or the `count` depths that are left of it.
template <class Element>
COVRL_INLINE Vec load_words(const Element* row) {
  return load(reinterpret_cast<const float*>(row));
}
COVRL_INLINE Vec load_words(const float* row, int64_t count) { return load(row, count); }
COVRL_INLINE Vec load_words(const Bfloat16* row, int64_t count) {
  Bfloat16 depths[2 * kLanes] = {};
  std::memcpy(depths, row, static_cast<size_t>(count) * sizeof(Bfloat16));
  return load_words(depths);
}

// Rows that are read for the first time come from memory: so many words ahead hides half of that.
constexpr int64_t kWordsAhead = 64;

// Transposes 16 rows into columns out .. out + 15 for the depths that fill whole blocks of 16
// words; returns how many words.
template <class Element>
static int64_t transpose_whole(const Element* const* rows, int64_t depth, int64_t stride,
                               float* out) {
  int64_t word = 0;
  for (; (word + kLanes) * kDepthsPerWord<Element> <= depth; word += kLanes) {
    Vec block[kLanes];
#pragma GCC unroll 16
    for (int r = 0; r < kLanes; ++r) {
      block[r] = load_words(rows[r] + word * kDepthsPerWord<Element>);
      __builtin_prefetch(rows[r] + (word + kWordsAhead) * kDepthsPerWord<Element>);
    }
    transpose(block, out + word * stride, stride);
  }
  return word;
}

// Transposes `count` <= 16 rows into columns out .. out + 15, zero beyond count.
template <class Element>
static void transpose_rows(const Element* const* rows, int64_t count, int64_t depth, int64_t stride,
                           float* out) {
  const int64_t words = num_words<Element>(depth);
  for (int64_t k = count == kLanes ? transpose_whole(rows, depth, stride, out) : 0; k < words;
       k += kLanes) {
    const int64_t left = words - k < kLanes ? words - k : kLanes;
    const int64_t first = k * kDepthsPerWord<Element>,
                  depths = depth - first < left * kDepthsPerWord<Element>
                               ? depth - first
                               : left * kDepthsPerWord<Element>;
    Vec block[kLanes];
    for (int r = 0; r < kLanes; ++r)
      block[r] = r < count ? load_words(rows[r] + first, depths) : zero();
    float columns[kLanes * kLanes];
    transpose(block, columns, kLanes);
    for (int64_t i = 0; i < left; ++i) store(out + (k + i) * stride, load(columns + i * kLanes));
  }
}

template <class Element>
static void pack_transposed(const Element* const* rows, int64_t count, int64_t depth,
                            float* panel) {
  for (int64_t column = 0; column < kPanelWidth; column += kLanes) {
    const int64_t here = count - column < 0 ? 0 : count - column < kLanes ? count - column : kLanes;
    transpose_rows(rows + column, here, depth, kPanelWidth, panel + column);
  }
}

template <class Element>
COVRL_INLINE Vec load_some(const Element* p, int64_t count) {
  return count >= kLanes ? load(p) : count > 0 ? load(p, count) : zero();
}

static void pack_rows(const float* const* rows, int64_t count, int64_t depth, float* panel) {
  for (int64_t k = 0; k < depth; ++k, panel += kPanelWidth) {
    for (int64_t column = 0; column < kPanelWidth; column += kLanes)
      store(panel + column, load_some(rows[k] + column, count - column));
  }
}

static void pack_rows(const Bfloat16* const* rows, int64_t count, int64_t depth, float* panel) {
  for (int64_t k = 0; k < depth; k += 2, panel += kPanelWidth) {
    for (int64_t column = 0; column < kPanelWidth; column += kLanes) {
      const Vec odd = k + 1 < depth ? load_some(rows[k + 1] + column, count - column) : zero();
      store(panel + column, pair(load_some(rows[k] + column, count - column), odd));
    }
  }
}

// One register tile: rows x (vectors * 16) sums. A is read in place, or from a sliver packed
// [words][kTileRows]; its words need not be aligned.
struct Tile {
  const char* a;
  int64_t a_row_stride;  // bytes
  const float* b;
  float* c;
  int64_t c_row_stride;
  const float* bias;
  int64_t columns, words;
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

COVRL_INLINE Vec broadcast_word(const char* p) {
  float word;
  std::memcpy(&word, p, sizeof word);
  return broadcast(word);
}

template <class Word, int kRows, int kVectors, bool kPacked>
static void multiply_tile(const Tile& tile) {
  Vec sum[kRows][kVectors];
#pragma GCC unroll 12
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 2
    for (int v = 0; v < kVectors; ++v) sum[r][v] = zero();
  }
  const int64_t row_stride = kPacked ? sizeof(float) : tile.a_row_stride;
  const char* a = tile.a;
  const float* b = tile.b;
  for (int64_t word = 0; word < tile.words; ++word) {
#pragma GCC unroll 2
    for (int part = 0; part < Word::kParts; ++part) {
      Vec columns[kVectors];
#pragma GCC unroll 2
      for (int v = 0; v < kVectors; ++v) columns[v] = Word::part(load(b + v * kLanes), part);
#pragma GCC unroll 12
      for (int r = 0; r < kRows; ++r) {
        const Vec factor = Word::part(broadcast_word(a + r * row_stride), part);
#pragma GCC unroll 2
        for (int v = 0; v < kVectors; ++v)
          sum[r][v] = Word::multiply(factor, columns[v], sum[r][v]);
      }
    }
    a += (kPacked ? kTileRows : 1) * sizeof(float);
    b += kPanelWidth;
  }
  finish_tile<kRows, kVectors>(tile, sum);
}

using TileFunction = void (*)(const Tile&);

struct TileTable {
  TileFunction of_rows[kTileRows];  // 1, 2, ...
};

template <class Word, int kVectors, bool kPacked, int... kRowsLessOne>
constexpr TileTable tile_table(std::integer_sequence<int, kRowsLessOne...>) {
  return {{multiply_tile<Word, kRowsLessOne + 1, kVectors, kPacked>...}};
}

template <class Word, int kVectors, bool kPacked>
COVRL_INLINE TileFunction tile_of_rows(int64_t rows) {
  static constexpr TileTable table =
      tile_table<Word, kVectors, kPacked>(std::make_integer_sequence<int, kTileRows>());
  return table.of_rows[rows - 1];
}

// The rows of a tile side by side, [words][kTileRows], where A is contiguous in rows; writes
// kLanes - kTileRows floats beyond.
COVRL_INLINE void pack_sliver(const Product& product, int64_t row, int64_t rows, float* sliver) {
  const float* a = product.a + row * product.a_row_stride;
  for (int64_t k = 0; k < product.depth; ++k, a += product.a_depth_stride)
    store(sliver + k * kTileRows, load(a, rows));
}

COVRL_INLINE void pack_sliver(const ProductOf<Bfloat16>& product, int64_t row, int64_t rows,
                              float* sliver) {
  const Bfloat16* a = product.a + row * product.a_row_stride;
  for (int64_t k = 0; k < product.depth; k += 2, sliver += kTileRows) {
    const Bfloat16* even = a + k * product.a_depth_stride;
    const bool paired = k + 1 < product.depth;
    store(sliver,
          pair(load(even, rows), paired ? load(even + product.a_depth_stride, rows) : zero()));
  }
}

template <class Element>
static void multiply(const ProductOf<Element>& product) {
  using Word = WordOf<Element>;
  float sliver[kTileRows * kDepthBlock + kLanes];
  const bool half_word = product.depth % kDepthsPerWord<Element> != 0;
  const bool packed = product.a_depth_stride != 1 || (product.a_row_stride == 1 && half_word);
  const int64_t row_bytes = product.a_row_stride * static_cast<int64_t>(sizeof(Element));
  for (int64_t row = 0; row < product.rows; row += kTileRows) {
    const int64_t rows = product.rows - row < kTileRows ? product.rows - row : kTileRows;
    if (packed) pack_sliver(product, row, rows, sliver);
    const TileFunction wide = packed ? tile_of_rows<Word, kTileVectors, true>(rows)
                                     : tile_of_rows<Word, kTileVectors, false>(rows);
    const TileFunction narrow =
        packed ? tile_of_rows<Word, 1, true>(rows) : tile_of_rows<Word, 1, false>(rows);
    const void* a = product.a + row * product.a_row_stride;
    Tile tile{static_cast<const char*>(packed ? sliver : a),
              row_bytes,
              product.b,
              nullptr,
              product.c_row_stride,
              nullptr,
              0,
              num_words<Element>(product.depth),
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

// Adds the next row_step() depths of 16 columns, which are transposed in registers.
template <class Element>
COVRL_INLINE Vec add_row_step(const Element* a, const Element* b, int64_t b_column_stride,
                              Vec sum) {
  using Word = WordOf<Element>;
  static_assert(row_step<Element>() == kLanes * kDepthsPerWord<Element>);
  Vec block[kLanes];
  float words[kLanes * kLanes];
#pragma GCC unroll 16
  for (int column = 0; column < kLanes; ++column, b += b_column_stride) {
    block[column] = load_words(b);
    __builtin_prefetch(b + kWordsAhead * kDepthsPerWord<Element>);
  }
  transpose(block, words, kLanes);
#pragma GCC unroll 16
  for (int word = 0; word < kLanes; ++word) {
    const Vec factor = broadcast_word(reinterpret_cast<const char*>(a) + word * sizeof(float));
    const Vec columns = load(words + word * kLanes);
#pragma GCC unroll 2
    for (int part = 0; part < Word::kParts; ++part)
      sum = Word::multiply(Word::part(factor, part), Word::part(columns, part), sum);
  }
  return sum;
}

struct PanelSums {
  Vec of[kTileVectors];
};

// A panel of columns from `b` on, for the depths begin .. end - 1.
template <class Element>
COVRL_INLINE PanelSums sum_panel(const RowProductOf<Element>& product, const Element* b,
                                 int64_t begin, int64_t end) {
  const int64_t stride = product.b_column_stride;
  PanelSums sums;
  for (Vec& sum : sums.of) sum = zero();
  for (int64_t k = begin; k < end; k += row_step<Element>()) {
#pragma GCC unroll 2
    for (int v = 0; v < kTileVectors; ++v)
      sums.of[v] = add_row_step(product.a + k, b + v * kLanes * stride + k, stride, sums.of[v]);
  }
  return sums;
}

template <class Element>
static void multiply_row(const RowProductOf<Element>& product) {
  constexpr int64_t kBlock = depth_block<Element>();
  const Element* b = product.b;
  for (int64_t column = 0; column < product.columns; column += kPanelWidth) {
    const int64_t depth = product.depth;
    PanelSums total = sum_panel(product, b, 0, depth < kBlock ? depth : kBlock);
    for (int64_t start = kBlock; start < depth; start += kBlock) {
      const int64_t end = depth - start < kBlock ? depth : start + kBlock;
      const PanelSums block = sum_panel(product, b, start, end);
      for (int v = 0; v < kTileVectors; ++v) total.of[v] = add(total.of[v], block.of[v]);
    }
    for (int64_t v = 0; v < kTileVectors; ++v) {
      const int64_t first = column + v * kLanes;
      const Vec sum = total.of[v];
      store(product.c + first, product.bias ? add(sum, load(product.bias + first)) : sum);
    }
    b += kPanelWidth * product.b_column_stride;
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
