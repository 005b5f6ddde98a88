#if defined(__x86_64__)
#include "kernels/simd/table.h"

namespace covrl::kernels {

extern const CpuKernels kAvx2Kernels;
const CpuKernels kAvx2Kernels = kTable;

}  // namespace covrl::kernels
#endif
