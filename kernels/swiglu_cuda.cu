#include "kernels/swiglu_cuda.h"

#include "kernels/cuda/device.cuh"

namespace covrl::kernels {
namespace {

using namespace cuda;

constexpr int kThreads = 256;

__device__ float sigmoid(float x) { return 1.0f / (1.0f + expf(-x)); }

// First element of this thread's packet and how many of it there are.
template <class T>
__device__ int64_t first_element() {
  return (static_cast<int64_t>(blockIdx.x) * kThreads + threadIdx.x) * kPacket<T>;
}
template <class T>
__device__ int elements_left(int64_t first, int64_t count) {
  return static_cast<int>(min(static_cast<int64_t>(kPacket<T>), count - first));
}

template <class T, bool kAligned>
__global__ void __launch_bounds__(kThreads) forward_kernel(const SwigluForward elements) {
  const int64_t first = first_element<T>();
  if (first >= elements.count) return;
  const int left = elements_left<T>(first, elements.count);
  Packet<T> y = load_part<T, kAligned>(static_cast<const T*>(elements.gate) + first, left);
  const Packet<T> up = load_part<T, kAligned>(static_cast<const T*>(elements.up) + first, left);
#pragma unroll
  for (int i = 0; i < kPacket<T>; ++i) {
    const float gate = as_float(y.values[i]);
    y.values[i] = from_float<T>(gate / (1.0f + expf(-gate)) * as_float(up.values[i]));
  }
  store_part<T, kAligned>(static_cast<T*>(elements.y) + first, y, left);
}

// With s = sigmoid(gate): d silu = s (1 + gate (1 - s)).
template <class T, bool kAligned>
__global__ void __launch_bounds__(kThreads) backward_kernel(const SwigluBackward elements) {
  const int64_t first = first_element<T>();
  if (first >= elements.count) return;
  const int left = elements_left<T>(first, elements.count);
  Packet<T> gate = load_part<T, kAligned>(static_cast<const T*>(elements.gate) + first, left);
  Packet<T> up = load_part<T, kAligned>(static_cast<const T*>(elements.up) + first, left);
  const Packet<T> grad =
      load_part<T, kAligned>(static_cast<const T*>(elements.grad_y) + first, left);
#pragma unroll
  for (int i = 0; i < kPacket<T>; ++i) {
    const float x = as_float(gate.values[i]), g = as_float(grad.values[i]), s = sigmoid(x);
    gate.values[i] = from_float<T>(g * as_float(up.values[i]) * (s * (1.0f + x * (1.0f - s))));
    up.values[i] = from_float<T>(g * (x * s));
  }
  store_part<T, kAligned>(static_cast<T*>(elements.grad_gate) + first, gate, left);
  store_part<T, kAligned>(static_cast<T*>(elements.grad_up) + first, up, left);
}

template <class T>
bool all_aligned(std::initializer_list<const void*> pointers) {
  for (const void* pointer : pointers)
    if (!rows_are_aligned(static_cast<const T*>(pointer), kPacket<T>)) return false;
  return true;
}

template <class T>
cudaError_t launch(const SwigluForward& e, unsigned blocks, cudaStream_t stream) {
  const auto kernel =
      all_aligned<T>({e.gate, e.up, e.y}) ? forward_kernel<T, true> : forward_kernel<T, false>;
  kernel<<<blocks, kThreads, 0, stream>>>(e);
  return cudaGetLastError();
}

template <class T>
cudaError_t launch(const SwigluBackward& e, unsigned blocks, cudaStream_t stream) {
  const bool aligned = all_aligned<T>({e.gate, e.up, e.grad_y, e.grad_gate, e.grad_up});
  const auto kernel = aligned ? backward_kernel<T, true> : backward_kernel<T, false>;
  kernel<<<blocks, kThreads, 0, stream>>>(e);
  return cudaGetLastError();
}

template <class Elements>
cudaError_t launch_all(const Elements& elements, cudaStream_t stream) {
  if (elements.count < 0) return cudaErrorInvalidValue;
  if (elements.count == 0) return cudaSuccess;
  return with_type(elements.type, [&](auto type) {
    using T = decltype(type);
    const unsigned blocks = blocks_for(elements.count, kThreads * kPacket<T>);
    return blocks == 0 ? cudaErrorInvalidValue : launch<T>(elements, blocks, stream);
  });
}

}  // namespace

cudaError_t swiglu_forward_cuda(const SwigluForward& elements, cudaStream_t stream) {
  return launch_all(elements, stream);
}

cudaError_t swiglu_backward_cuda(const SwigluBackward& elements, cudaStream_t stream) {
  return launch_all(elements, stream);
}

}  // namespace covrl::kernels
