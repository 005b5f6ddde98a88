#include "kernels/simd/table.h"

namespace covrl::kernels {

extern const CpuKernels kPortableKernels;
const CpuKernels kPortableKernels = kTable;

}  // namespace covrl::kernels
