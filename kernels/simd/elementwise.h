// Loops over the lanes of a row, the last ones masked.
#pragma once

#include "kernels/simd/vec.h"

namespace covrl::kernels {
namespace {

// Calls body(offset, lanes) for each vector of a row of `count`; lanes is kLanes but for the last.
template <class Body>
COVRL_INLINE void for_vectors(int64_t count, const Body& body) {
  int64_t offset = 0;
  for (; offset + kLanes <= count; offset += kLanes) body(offset, kLanes);
  if (offset < count) body(offset, count - offset);
}

COVRL_INLINE Vec load_lanes(const float* p, int64_t lanes) {
  return lanes == kLanes ? load(p) : load(p, lanes);
}

COVRL_INLINE void store_lanes(float* p, Vec a, int64_t lanes) {
  if (lanes == kLanes)
    store(p, a);
  else
    store(p, a, lanes);
}

}  // namespace
}  // namespace covrl::kernels
