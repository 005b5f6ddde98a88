#include "kernels/cpu_kernels.h"

#include "kernels/cpu_isa.h"

namespace covrl::kernels {

extern const CpuKernels kPortableKernels;
#if defined(__x86_64__)
extern const CpuKernels kAvx2Kernels;
extern const CpuKernels kAvx512Kernels;
extern const CpuKernels kAvx512Bf16Kernels;
#endif

const CpuKernels& cpu_kernels() {
#if defined(__x86_64__)
  if (isa() == Isa::kAvx512Bf16) return kAvx512Bf16Kernels;
  if (isa() == Isa::kAvx512) return kAvx512Kernels;
  if (isa() == Isa::kAvx2) return kAvx2Kernels;
#endif
  return kPortableKernels;
}

}  // namespace covrl::kernels
