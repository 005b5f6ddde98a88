// What the CUDA kernels share: storage types as float, packets of 16 bytes, sums over a block in a
// fixed order.
#pragma once

#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cuda_runtime.h>

#include <cstdint>

#include "kernels/cuda_type.h"

namespace covrl::kernels::cuda {

inline constexpr int kWarp = 32;

__device__ inline float as_float(float x) { return x; }
__device__ inline float as_float(__nv_bfloat16 x) { return __bfloat162float(x); }
__device__ inline float as_float(__half x) { return __half2float(x); }
template <class T>
__device__ T from_float(float x);
template <>
__device__ inline float from_float<float>(float x) {
  return x;
}
template <>
__device__ inline __nv_bfloat16 from_float<__nv_bfloat16>(float x) {
  return __float2bfloat16_rn(x);
}
template <>
__device__ inline __half from_float<__half>(float x) {
  return __float2half_rn(x);
}

// launch(T{}) for the C++ type T of a storage type.
template <class Launch>
cudaError_t with_type(CudaType type, const Launch& launch) {
  if (type == CudaType::kBFloat16) return launch(__nv_bfloat16{});
  if (type == CudaType::kFloat16) return launch(__half{});
  return launch(float{});
}

// Elements of a 16-byte packet.
template <class T>
inline constexpr int kPacket = 16 / sizeof(T);

template <class T>
struct alignas(16) Packet {
  T values[kPacket<T>];
};

// `kAligned`: every packet starts at a multiple of 16 bytes. The elements of a packet belong to one
// thread either way, so that the order of a sum, and its bits, do not depend on the alignment.
template <class T, bool kAligned>
__device__ Packet<T> load_packet(const T* from) {
  if constexpr (kAligned) {
    return *reinterpret_cast<const Packet<T>*>(from);
  } else {
    Packet<T> packet;
#pragma unroll
    for (int i = 0; i < kPacket<T>; ++i) packet.values[i] = from[i];
    return packet;
  }
}

template <class T, bool kAligned>
__device__ void store_packet(T* to, const Packet<T>& packet) {
  if constexpr (kAligned) {
    *reinterpret_cast<Packet<T>*>(to) = packet;
  } else {
#pragma unroll
    for (int i = 0; i < kPacket<T>; ++i) to[i] = packet.values[i];
  }
}

// The first `count` elements of a packet, zeros behind them; whole packets take the quick way.
template <class T, bool kAligned>
__device__ Packet<T> load_part(const T* from, int count) {
  if (count >= kPacket<T>) return load_packet<T, kAligned>(from);
  Packet<T> packet;
#pragma unroll
  for (int i = 0; i < kPacket<T>; ++i) packet.values[i] = i < count ? from[i] : from_float<T>(0.0f);
  return packet;
}

template <class T, bool kAligned>
__device__ void store_part(T* to, const Packet<T>& packet, int count) {
  if (count >= kPacket<T>) return store_packet<T, kAligned>(to, packet);
#pragma unroll
  for (int i = 0; i < kPacket<T>; ++i)
    if (i < count) to[i] = packet.values[i];
}

// True when each row of `row_size` elements that starts at `pointer` is made of aligned packets.
template <class T>
bool rows_are_aligned(const T* pointer, int64_t row_size) {
  return reinterpret_cast<uintptr_t>(pointer) % 16 == 0 && row_size % kPacket<T> == 0;
}

template <class Real>
__device__ Real warp_sum(Real value) {
#pragma unroll
  for (int offset = kWarp / 2; offset > 0; offset /= 2)
    value += __shfl_xor_sync(0xffffffffu, value, offset);
  return value;
}

// Sum over the block, in every thread. `scratch`: one value a warp; not reused before another
// __syncthreads().
template <int kThreads, class Real>
__device__ Real block_sum(Real value, Real* scratch) {
  constexpr int kWarps = kThreads / kWarp;
  static_assert(kThreads % kWarp == 0 && kWarps <= kWarp);
  value = warp_sum(value);
  if (threadIdx.x % kWarp == 0) scratch[threadIdx.x / kWarp] = value;
  __syncthreads();
  const int lane = threadIdx.x % kWarp;
  return warp_sum(lane < kWarps ? scratch[lane] : Real(0));
}

// Blocks of `threads` that cover `count`, or 0 when a grid cannot have as many.
inline unsigned blocks_for(int64_t count, int64_t threads) {
  const int64_t blocks = (count + threads - 1) / threads;
  return blocks <= INT32_MAX ? static_cast<unsigned>(blocks) : 0;
}

}  // namespace covrl::kernels::cuda
