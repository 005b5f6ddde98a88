#include "kernels/amx.h"

#include <cstring>
#include <vector>

#include "core/log.h"
#include "kernels/gemm_cpu.h"

#if defined(__x86_64__) && defined(__linux__)
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace covrl::kernels {
namespace {

#if defined(__x86_64__) && defined(__linux__)

// Bits of the extended state (XCR0): of the tiles' configuration and of their data.
constexpr unsigned kTileConfigState = 17, kTileDataState = 18;

bool processor_has_tiles() {
  constexpr unsigned kOsXsave = 1u << 27, kAmxBf16 = 1u << 22, kAmxTile = 1u << 24;
  unsigned eax, ebx, ecx, edx;
  if (!__get_cpuid(1, &eax, &ebx, &ecx, &edx) || !(ecx & kOsXsave)) return false;
  if (!__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx)) return false;
  return (edx & kAmxBf16) && (edx & kAmxTile);
}

bool system_keeps_tiles() {
  unsigned low, high;
  asm volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  constexpr unsigned kStates = 1u << kTileConfigState | 1u << kTileDataState;
  return (low & kStates) == kStates;
}

bool linux_gives_leave() {
  constexpr int kRequestPermission = 0x1023;  // ARCH_REQ_XCOMP_PERM
  return syscall(SYS_arch_prctl, kRequestPermission, kTileDataState) == 0;
}

#endif

// `count` bfloat16 that are multiples of 1/64 below 1 in size: sums of a few hundred products are
// exact in float32, whatever their order.
std::vector<Bfloat16> exact_numbers(int64_t count, uint32_t seed) {
  std::vector<Bfloat16> numbers(count);
  for (Bfloat16& number : numbers) {
    seed = seed * 1664525u + 1013904223u;
    const float value = (static_cast<int>(seed >> 24) % 127 - 63) / 64.0f;
    uint32_t bits;
    std::memcpy(&bits, &value, sizeof bits);
    number = static_cast<Bfloat16>(bits >> 16);
  }
  return numbers;
}

// a [rows, depth], row by row or column by column, times b.
std::vector<float> test_product(const CpuKernels& kernels, bool transposed) {
  constexpr int64_t kRows = 37, kColumns = 45, kDepth = 94;
  const std::vector<Bfloat16> a = exact_numbers(kRows * kDepth, 1);
  const std::vector<Bfloat16> b = exact_numbers(kDepth * kColumns, 2);
  std::vector<float> panels(packed_size<Bfloat16>(kernels, kDepth, kColumns));
  pack_panels<Bfloat16>(kernels, {b.data(), kColumns, 1}, kDepth, kColumns, panels.data());
  std::vector<float> c(kRows * kColumns);
  kernels.bfloat16.multiply({.a = a.data(),
                             .a_row_stride = transposed ? 1 : kDepth,
                             .a_depth_stride = transposed ? kRows : 1,
                             .b = panels.data(),
                             .b_panel_stride = num_words<Bfloat16>(kDepth) * kernels.panel_width,
                             .c = c.data(),
                             .c_row_stride = kColumns,
                             .rows = kRows,
                             .columns = kColumns,
                             .depth = kDepth});
  return c;
}

}  // namespace

bool amx_allowed() {
#if defined(__x86_64__) && defined(__linux__)
  return processor_has_tiles() && system_keeps_tiles() && linux_gives_leave();
#else
  return false;
#endif
}

bool amx_multiplies(const CpuKernels& amx) {
  const CpuKernels& vectors = cpu_kernels(Isa::kAvx512Bf16);
  for (const bool transposed : {false, true}) {
    if (test_product(amx, transposed) == test_product(vectors, transposed)) continue;
    log::warning(
        "this processor's AMX tiles multiply bfloat16 wrongly (a product differs from "
        "AVX512_BF16's); AVX512_BF16 is used in their place");
    return false;
  }
  return true;
}

}  // namespace covrl::kernels
