// Matrix product in float32, the same bits whatever the number of rows, threads or the instruction
// set: an element adds its products in order of depth, in registers for kDepthBlock of them, block
// after block. Threads split rows and columns only.
#pragma once

#include <cstdint>

#include "kernels/cpu_kernels.h"

namespace covrl::kernels {

// An element (i, j) is at data + i * row_stride + j * column_stride; one of the strides is 1.
struct MatrixView {
  const float* data = nullptr;
  int64_t row_stride = 0, column_stride = 1;

  const float* at(int64_t row, int64_t column) const {
    return data + row * row_stride + column * column_stride;
  }
};

// c [rows, columns] = a [rows, depth] b [depth, columns] + bias.
struct MatrixProduct {
  MatrixView a, b;
  float* c = nullptr;
  int64_t c_row_stride = 0;
  const float* bias = nullptr;  // [columns] or null
  int64_t rows = 0, columns = 0, depth = 0;
};

void matrix_product(const MatrixProduct& product);

// Floats that a packed b of this size takes.
int64_t packed_size(const CpuKernels& kernels, int64_t depth, int64_t columns);

// Packs b [depth, columns] into panels for CpuKernels::multiply; panel stride: depth * panel_width.
void pack_panels(const CpuKernels& kernels, const MatrixView& b, int64_t depth, int64_t columns,
                 float* panels);

// multiply() for any depth: block after block, the first replacing c unless product.accumulate.
void multiply_deep(const CpuKernels& kernels, Product product);

}  // namespace covrl::kernels
