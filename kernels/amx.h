// Whether products of bfloat16 may run on AMX tiles (Sapphire Rapids and later). Asked once, by
// cpu_isa.h, before any tile is used.
#pragma once

#include "kernels/cpu_kernels.h"

namespace covrl::kernels {

// The processor has tiles for bfloat16 (CPUID), the system keeps their state (XCR0), and Linux lets
// this process use them: its leave (arch_prctl) holds for all threads, present and future.
bool amx_allowed();

// Products by `amx` of matrices whose sums are exact in float32 have the bits of AVX512_BF16's; a
// difference is a warning. For processors with both.
bool amx_multiplies(const CpuKernels& amx = cpu_kernels(Isa::kAmx));

}  // namespace covrl::kernels
