#include "kernels/swiglu_cuda.h"

#include "kernels/cuda/device.cuh"

namespace covrl::kernels {
namespace {

using namespace cuda;

constexpr int kThreads = 256;

template <class T>
__device__ T swiglu(T gate, T up) {
  const float x = as_float(gate);
  return from_float<T>(x / (1.0f + expf(-x)) * as_float(up));
}

template <class T, bool kAligned>
__global__ void __launch_bounds__(kThreads) swiglu_kernel(const SwigluForward elements) {
  const T* gate = static_cast<const T*>(elements.gate);
  const T* up = static_cast<const T*>(elements.up);
  T* y = static_cast<T*>(elements.y);
  const int64_t first = (static_cast<int64_t>(blockIdx.x) * kThreads + threadIdx.x) * kPacket<T>;
  if (first + kPacket<T> <= elements.count) {
    Packet<T> packet = load_packet<T, kAligned>(gate + first);
    const Packet<T> ups = load_packet<T, kAligned>(up + first);
#pragma unroll
    for (int i = 0; i < kPacket<T>; ++i) packet.values[i] = swiglu(packet.values[i], ups.values[i]);
    store_packet<T, kAligned>(y + first, packet);
  } else {
    for (int64_t i = first; i < elements.count; ++i) y[i] = swiglu(gate[i], up[i]);
  }
}

template <class T>
cudaError_t launch(const SwigluForward& elements, cudaStream_t stream) {
  const unsigned blocks = blocks_for(elements.count, kThreads * kPacket<T>);
  if (blocks == 0) return cudaErrorInvalidValue;
  const bool aligned = rows_are_aligned(static_cast<const T*>(elements.gate), kPacket<T>) &&
                       rows_are_aligned(static_cast<const T*>(elements.up), kPacket<T>) &&
                       rows_are_aligned(static_cast<const T*>(elements.y), kPacket<T>);
  const auto kernel = aligned ? swiglu_kernel<T, true> : swiglu_kernel<T, false>;
  kernel<<<blocks, kThreads, 0, stream>>>(elements);
  return cudaGetLastError();
}

}  // namespace

cudaError_t swiglu_forward_cuda(const SwigluForward& elements, cudaStream_t stream) {
  if (elements.count < 0) return cudaErrorInvalidValue;
  if (elements.count == 0) return cudaSuccess;
  return with_type(elements.type,
                   [&](auto type) { return launch<decltype(type)>(elements, stream); });
}

}  // namespace covrl::kernels
