// AMX: the kernels of AVX512_BF16, but for the product of bfloat16 matrices.
#if defined(__x86_64__)
#include "kernels/simd/gemm_amx.h"

namespace covrl::kernels {

extern const CpuKernels kAvx512Bf16Kernels;

const CpuKernels& amx_kernels() {
  static const CpuKernels kernels = [] {
    CpuKernels table = kAvx512Bf16Kernels;
    table.bfloat16.tile_rows = kBlockRows;
    table.bfloat16.multiply = multiply_on_tiles;
    table.bfloat16.multiply_row = nullptr;  // one row has the order of many
    return table;
  }();
  return kernels;
}

}  // namespace covrl::kernels
#endif
