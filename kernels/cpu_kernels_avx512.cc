#if defined(__x86_64__)
#include "kernels/simd/table.h"

namespace covrl::kernels {

extern const CpuKernels kAvx512Kernels;
const CpuKernels kAvx512Kernels = kTable;

}  // namespace covrl::kernels
#endif
