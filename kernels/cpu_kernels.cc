#include "kernels/cpu_kernels.h"

namespace covrl::kernels {

extern const CpuKernels kPortableKernels;
#if defined(__x86_64__)
extern const CpuKernels kAvx2Kernels;
extern const CpuKernels kAvx512Kernels;
extern const CpuKernels kAvx512Bf16Kernels;
const CpuKernels& amx_kernels();
#endif

const CpuKernels& cpu_kernels(Isa isa) {
#if defined(__x86_64__)
  if (isa == Isa::kAmx) return amx_kernels();
  if (isa == Isa::kAvx512Bf16) return kAvx512Bf16Kernels;
  if (isa == Isa::kAvx512) return kAvx512Kernels;
  if (isa == Isa::kAvx2) return kAvx2Kernels;
#endif
  (void)isa;
  return kPortableKernels;
}

const CpuKernels& cpu_kernels() { return cpu_kernels(isa()); }

}  // namespace covrl::kernels
