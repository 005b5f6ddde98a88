#if defined(__x86_64__)
#include "kernels/simd/table.h"

namespace covrl::kernels {

extern const CpuKernels kAvx512Bf16Kernels;
const CpuKernels kAvx512Bf16Kernels = kTable;

}  // namespace covrl::kernels
#endif
