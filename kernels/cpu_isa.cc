#include "kernels/cpu_isa.h"

#include <atomic>

#include "core/error.h"
#include "kernels/amx.h"

namespace covrl::kernels {
namespace {

Isa detect() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl")) {
    if (!__builtin_cpu_supports("avx512bf16")) return Isa::kAvx512;
    return amx_allowed() && amx_multiplies() ? Isa::kAmx : Isa::kAvx512Bf16;
  }
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return Isa::kAvx2;
#endif
  return Isa::kPortable;
}

std::atomic<Isa>& best() {
  static std::atomic<Isa> isa{detect()};
  return isa;
}

std::atomic<Isa>& current() {
  static std::atomic<Isa> isa{best().load()};
  return isa;
}

}  // namespace

Isa best_isa() { return best(); }

Isa isa() { return current(); }

void set_isa(Isa isa) {
  if (isa > best_isa())
    throw_usage("instruction set ", kIsaNames[static_cast<int>(isa)],
                " is beyond this processor's, ", kIsaNames[static_cast<int>(best_isa())]);
  current() = isa;
}

void set_best_isa(Isa isa) {
  best() = isa;
  current() = isa;
}

}  // namespace covrl::kernels
