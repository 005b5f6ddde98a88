// Runs a loop compiled for the widest vectors of this processor (cpu_isa.h).
//
// The body is a lambda marked COVRL_INLINE_BODY that calls COVRL_INLINE functions only: it is
// compiled into each clone. Files that use it are compiled with -ffp-contract=off and keep their
// sums in a fixed order, so that the clones agree in every bit.
#pragma once

#include "kernels/cpu_isa.h"

#define COVRL_INLINE static inline __attribute__((always_inline))
#define COVRL_INLINE_BODY __attribute__((always_inline))

namespace covrl::kernels {

#if defined(__x86_64__)
template <class Body>
__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,prefer-vector-width=512"))) void
run_avx512(const Body& body) {
  body();
}

template <class Body>
__attribute__((target("avx2"))) void run_avx2(const Body& body) {
  body();
}
#endif

template <class Body>
void run_vectorised(const Body& body) {
#if defined(__x86_64__)
  const Isa set = isa();
  if (set >= Isa::kAvx512) return run_avx512(body);
  if (set == Isa::kAvx2) return run_avx2(body);
#endif
  body();
}

}  // namespace covrl::kernels
