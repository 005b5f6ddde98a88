#include "kernels/rope_cuda.h"

#include "kernels/cuda/device.cuh"

namespace covrl::kernels {
namespace {

using namespace cuda;

constexpr int kThreads = 256;

// A thread turns kPacket pairs (kAligned) or one pair.
template <class T, bool kAligned>
__global__ void __launch_bounds__(kThreads)
    rope_kernel(const RopeForward heads, int64_t num_items) {
  constexpr int kPairs = kAligned ? kPacket<T> : 1;
  const int64_t item = static_cast<int64_t>(blockIdx.x) * kThreads + threadIdx.x;
  if (item >= num_items) return;
  const int half = static_cast<int>(heads.head_size / 2);
  const int items_a_head = half / kPairs;
  const int64_t head = item / items_a_head;
  const int place = static_cast<int>(item % items_a_head) * kPairs;
  const int64_t table = heads.positions_T[head / heads.num_heads] * half + place;
  const T* x = static_cast<const T*>(heads.x_THd) + head * heads.head_size + place;
  T* y = static_cast<T*>(heads.y_THd) + head * heads.head_size + place;
  Packet<T> low, high;
  if constexpr (kAligned) {
    low = load_packet<T, true>(x);
    high = load_packet<T, true>(x + half);
  } else {
    low.values[0] = x[0];
    high.values[0] = x[half];
  }
#pragma unroll
  for (int i = 0; i < kPairs; ++i) {
    const float cosine = heads.cos_Pd[table + i], sine = heads.sin_Pd[table + i];
    const float a = as_float(low.values[i]), b = as_float(high.values[i]);
    low.values[i] = from_float<T>(a * cosine - b * sine);
    high.values[i] = from_float<T>(b * cosine + a * sine);
  }
  if constexpr (kAligned) {
    store_packet<T, true>(y, low);
    store_packet<T, true>(y + half, high);
  } else {
    y[0] = low.values[0];
    y[half] = high.values[0];
  }
}

template <class T>
cudaError_t launch(const RopeForward& heads, cudaStream_t stream) {
  const int64_t half = heads.head_size / 2;
  const bool aligned = rows_are_aligned(static_cast<const T*>(heads.x_THd), half) &&
                       rows_are_aligned(static_cast<const T*>(heads.y_THd), half);
  const int64_t num_items = heads.num_tokens * heads.num_heads * half / (aligned ? kPacket<T> : 1);
  const unsigned blocks = blocks_for(num_items, kThreads);
  if (blocks == 0) return cudaErrorInvalidValue;
  const auto kernel = aligned ? rope_kernel<T, true> : rope_kernel<T, false>;
  kernel<<<blocks, kThreads, 0, stream>>>(heads, num_items);
  return cudaGetLastError();
}

}  // namespace

cudaError_t rope_forward_cuda(const RopeForward& heads, cudaStream_t stream) {
  if (heads.num_tokens < 0 || heads.num_heads <= 0 || heads.head_size <= 0 ||
      heads.head_size % 2 != 0)
    return cudaErrorInvalidValue;
  if (heads.num_tokens == 0) return cudaSuccess;
  return with_type(heads.type, [&](auto type) { return launch<decltype(type)>(heads, stream); });
}

}  // namespace covrl::kernels
