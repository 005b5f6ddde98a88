#include "kernels/cpu_isa.h"

#include <atomic>

#include "core/error.h"

namespace covrl::kernels {
namespace {

Isa detect() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
    return __builtin_cpu_supports("avx512bf16") ? Isa::kAvx512Bf16 : Isa::kAvx512;
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return Isa::kAvx2;
#endif
  return Isa::kPortable;
}

std::atomic<Isa>& current() {
  static std::atomic<Isa> isa{best_isa()};
  return isa;
}

}  // namespace

Isa best_isa() {
  static const Isa best = detect();
  return best;
}

Isa isa() { return current(); }

void set_isa(Isa isa) {
  if (isa > best_isa())
    throw_usage("instruction set ", static_cast<int>(isa), " is beyond this processor's, ",
                static_cast<int>(best_isa()));
  current() = isa;
}

}  // namespace covrl::kernels
