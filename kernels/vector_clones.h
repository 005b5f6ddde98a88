// Runs a loop compiled for the widest vectors of this processor.
//
// The body is a lambda marked COVRL_INLINE_BODY that calls COVRL_INLINE functions only: it is compiled into each clone. Files
// that use it are compiled with -ffp-contract=off and keep their sums in a fixed order, so that the clones agree in every bit.
#pragma once

#define COVRL_INLINE static inline __attribute__((always_inline))
#define COVRL_INLINE_BODY __attribute__((always_inline))

namespace covrl::kernels {

enum class VectorSet { kBaseline, kAvx2, kAvx512 };

inline VectorSet widest_vectors() {
#if defined(__x86_64__)
  static const VectorSet set = [] {
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512vl"))
      return VectorSet::kAvx512;
    return __builtin_cpu_supports("avx2") ? VectorSet::kAvx2 : VectorSet::kBaseline;
  }();
  return set;
#else
  return VectorSet::kBaseline;
#endif
}

#if defined(__x86_64__)
template <class Body>
__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,prefer-vector-width=512"))) void run_avx512(const Body& body) {
  body();
}

template <class Body>
__attribute__((target("avx2"))) void run_avx2(const Body& body) {
  body();
}
#endif

template <class Body>
void run_vectorised(const Body& body, VectorSet set = widest_vectors()) {
#if defined(__x86_64__)
  if (set == VectorSet::kAvx512) return run_avx512(body);
  if (set == VectorSet::kAvx2) return run_avx2(body);
#endif
  body();
}

}  // namespace covrl::kernels
