// Which compiled variant of the CPU kernels runs: the best that this processor has. All give the
// same bits in float32. In products of bfloat16 AMX adds in an order of its own, and the others
// agree but for subnormal numbers (cpu_kernels.h).
#pragma once

#include <string_view>

namespace covrl::kernels {

enum class Isa { kPortable, kAvx2, kAvx512, kAvx512Bf16, kAmx };
inline constexpr std::string_view kIsaNames[] = {"portable", "avx2", "avx512", "avx512bf16", "amx"};

Isa best_isa();         // of this processor, among those compiled in
Isa isa();              // in use
void set_isa(Isa isa);  // for tests: forces a slower path; throws Error if it is beyond best_isa()
void set_best_isa(Isa isa);  // for tests on an emulator: what best_isa() says and isa() is from now

}  // namespace covrl::kernels
