// Matrix product in float32 or bfloat16, summed in float32, the same bits whatever the number of
// rows or threads, and whatever the instruction set (in bfloat16 but for AMX and for subnormal
// numbers, cpu_kernels.h): an element adds its products in order of depth, in registers for
// depth_block() of them, block after block. Threads split rows and columns only.
#pragma once

#include <cstdint>

#include "kernels/cpu_kernels.h"

namespace covrl::kernels {

// An element (i, j) is at data + i * row_stride + j * column_stride; one of the strides is 1.
template <class Element>
struct MatrixViewOf {
  const Element* data = nullptr;
  int64_t row_stride = 0, column_stride = 1;

  const Element* at(int64_t row, int64_t column) const {
    return data + row * row_stride + column * column_stride;
  }
};
using MatrixView = MatrixViewOf<float>;

// c [rows, columns] = a [rows, depth] b [depth, columns] + bias. A bfloat16 a that is contiguous in
// depth is read in pairs: past an odd depth, up to whole_words(), it must hold a finite number.
template <class Element>
struct MatrixProductOf {
  MatrixViewOf<Element> a = {}, b = {};
  const float* packed_b = nullptr;  // b as pack_matrix() left it, read in place of b
  float* c = nullptr;
  int64_t c_row_stride = 0;
  const float* bias = nullptr;  // [columns] or null
  int64_t rows = 0, columns = 0, depth = 0;
  bool accumulate = false;  // add the blocks of depth to c, one by one, in place of replacing it
};
using MatrixProduct = MatrixProductOf<float>;

void matrix_product(const MatrixProductOf<float>& product);
void matrix_product(const MatrixProductOf<Bfloat16>& product);

// Words that a packed b of this size takes.
template <class Element = float>
int64_t packed_size(const CpuKernels& kernels, int64_t depth, int64_t columns) {
  return (columns + kernels.panel_width - 1) / kernels.panel_width * kernels.panel_width *
         num_words<Element>(depth);
}

// Packs b [depth, columns] into panels for multiply(); panel stride: num_words(depth) *
// panel_width.
template <class Element>
void pack_panels(const CpuKernels& kernels, const MatrixViewOf<Element>& b, int64_t depth,
                 int64_t columns, float* panels);

// The same on several threads, for a b that several products share.
template <class Element>
void pack_matrix(const CpuKernels& kernels, const MatrixViewOf<Element>& b, int64_t depth,
                 int64_t columns, float* panels);

// multiply() for any depth: block after block, the first replacing c unless product.accumulate.
void multiply_deep(const CpuKernels& kernels, Product product);

}  // namespace covrl::kernels
