// Which compiled variant of the CPU kernels runs: the best that this processor has. All give the
// same bits, but for subnormal numbers in products of bfloat16 (cpu_kernels.h).
#pragma once

namespace covrl::kernels {

enum class Isa { kPortable, kAvx2, kAvx512, kAvx512Bf16 };

Isa best_isa();         // of this processor, among those compiled in
Isa isa();              // in use
void set_isa(Isa isa);  // for tests: forces a slower path; throws Error if it is beyond best_isa()

}  // namespace covrl::kernels
