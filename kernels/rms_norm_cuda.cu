#include "kernels/rms_norm_cuda.h"

#include "kernels/cuda/device.cuh"

namespace covrl::kernels {
namespace {

using namespace cuda;

constexpr int kThreads = 256;

template <class T, bool kAligned>
__device__ float sum_of_squares(const T* x, int size) {
  const int whole = size - size % kPacket<T>;
  float sum = 0;
  for (int place = threadIdx.x * kPacket<T>; place < whole; place += kThreads * kPacket<T>) {
    const Packet<T> packet = load_packet<T, kAligned>(x + place);
#pragma unroll
    for (int i = 0; i < kPacket<T>; ++i) {
      const float value = as_float(packet.values[i]);
      sum += value * value;
    }
  }
  if (whole + static_cast<int>(threadIdx.x) < size) {
    const float value = as_float(x[whole + threadIdx.x]);
    sum += value * value;
  }
  return sum;
}

// The normalised value is rounded to the storage type before the weight is applied (rms_norm.h).
template <class T>
__device__ T scaled(T x, T weight, float scale) {
  return from_float<T>(as_float(from_float<T>(as_float(x) * scale)) * as_float(weight));
}

template <class T, bool kAligned>
__global__ void __launch_bounds__(kThreads) rms_norm_kernel(const RmsNormForward rows) {
  __shared__ float scratch[kThreads / kWarp];
  const int size = static_cast<int>(rows.size);
  const T* x = static_cast<const T*>(rows.x_TD) + blockIdx.x * rows.size;
  const T* weight = static_cast<const T*>(rows.weight_D);
  T* y = static_cast<T*>(rows.y_TD) + blockIdx.x * rows.size;
  const float total = block_sum<kThreads>(sum_of_squares<T, kAligned>(x, size), scratch);
  const float scale = 1.0f / sqrtf(total / static_cast<float>(size) + rows.eps);
  const int whole = size - size % kPacket<T>;
  for (int place = threadIdx.x * kPacket<T>; place < whole; place += kThreads * kPacket<T>) {
    Packet<T> packet = load_packet<T, kAligned>(x + place);
    const Packet<T> weights = load_packet<T, kAligned>(weight + place);
#pragma unroll
    for (int i = 0; i < kPacket<T>; ++i)
      packet.values[i] = scaled(packet.values[i], weights.values[i], scale);
    store_packet<T, kAligned>(y + place, packet);
  }
  const int last = whole + static_cast<int>(threadIdx.x);
  if (last < size) y[last] = scaled(x[last], weight[last], scale);
}

template <class T>
cudaError_t launch(const RmsNormForward& rows, cudaStream_t stream) {
  const bool aligned = rows_are_aligned(static_cast<const T*>(rows.x_TD), rows.size) &&
                       rows_are_aligned(static_cast<const T*>(rows.weight_D), rows.size) &&
                       rows_are_aligned(static_cast<const T*>(rows.y_TD), rows.size);
  const auto kernel = aligned ? rms_norm_kernel<T, true> : rms_norm_kernel<T, false>;
  kernel<<<static_cast<unsigned>(rows.num_tokens), kThreads, 0, stream>>>(rows);
  return cudaGetLastError();
}

}  // namespace

cudaError_t rms_norm_forward_cuda(const RmsNormForward& rows, cudaStream_t stream) {
  if (rows.num_tokens < 0 || rows.num_tokens > INT32_MAX || rows.size <= 0 ||
      rows.size > INT32_MAX / 2)
    return cudaErrorInvalidValue;
  if (rows.num_tokens == 0) return cudaSuccess;
  return with_type(rows.type, [&](auto type) { return launch<decltype(type)>(rows, stream); });
}

}  // namespace covrl::kernels
