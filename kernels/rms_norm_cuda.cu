#include "kernels/rms_norm_cuda.h"

#include "kernels/cuda/device.cuh"

namespace covrl::kernels {
namespace {

using namespace cuda;

constexpr int kThreads = 256;
constexpr int kBackwardRows = 16;  // rows whose share of the weight's gradient a block adds up
constexpr int kSharedBytes =
    160 << 10;  // what sm_80 and sm_90 give a block; sm_86 refuses above 99
constexpr int64_t kMostColumns = 1 << 29;

// A row that is looked at twice: kept in shared memory, so that it is read once, or (kKept false)
// too wide for that. A thread uses its own packets alone: no barrier is needed between writing and
// reading them.
template <class T, bool kAligned, bool kKept>
struct Row {
  const T* memory;
  T* shared;

  __device__ void keep(int place, const Packet<T>& packet) const {
    if constexpr (kKept) *reinterpret_cast<Packet<T>*>(shared + place) = packet;
  }
  __device__ Packet<T> first(int place, int count) const {
    const Packet<T> packet = load_part<T, kAligned>(memory + place, count);
    keep(place, packet);
    return packet;
  }
  __device__ Packet<T> again(int place, int count) const {
    if constexpr (kKept) return *reinterpret_cast<const Packet<T>*>(shared + place);
    return load_part<T, kAligned>(memory + place, count);
  }
};

__host__ __device__ inline int padded(int64_t size) { return static_cast<int>((size + 7) / 8 * 8); }

// Calls body(place, count) for the packets of a row that belong to this thread. Aligned rows are
// made of whole packets.
template <class T, bool kAligned, class Body>
__device__ void for_packets(int size, const Body& body) {
#pragma unroll 2
  for (int place = threadIdx.x * kPacket<T>; place < size; place += kThreads * kPacket<T>)
    body(place, kAligned ? kPacket<T> : min(size - place, kPacket<T>));
}

// The normalised value is rounded to the storage type before the weight is applied (rms_norm.h).
template <class T>
__device__ T scaled(T x, T weight, float scale) {
  return from_float<T>(as_float(from_float<T>(as_float(x) * scale)) * as_float(weight));
}

// x, or x + residual, which goes to memory as well.
template <class T, bool kAligned, bool kResidual>
__device__ Packet<T> load_sum(const RmsNormForward& rows, int64_t offset, int count) {
  Packet<T> x = load_part<T, kAligned>(static_cast<const T*>(rows.x_TD) + offset, count);
  if constexpr (kResidual) {
    const Packet<T> residual =
        load_part<T, kAligned>(static_cast<const T*>(rows.residual_TD) + offset, count);
#pragma unroll
    for (int i = 0; i < kPacket<T>; ++i)
      x.values[i] = from_float<T>(as_float(x.values[i]) + as_float(residual.values[i]));
    store_part<T, kAligned>(static_cast<T*>(rows.sum_TD) + offset, x, count);
  }
  return x;
}

template <class T, bool kAligned, bool kResidual, bool kKept>
__global__ void __launch_bounds__(kThreads)
    forward_kernel(const RmsNormForward rows, int rows_a_block) {
  extern __shared__ __align__(16) unsigned char shared[];
  __shared__ float scratch[2][kThreads / kWarp];  // in turns: see block_sum
  const int size = static_cast<int>(rows.size);
  T* const memory = reinterpret_cast<T*>(shared);
  const Row<T, kAligned, kKept> weight = {static_cast<const T*>(rows.weight_D), memory};
  if (kKept)
    for_packets<T, kAligned>(size, [&](int place, int count) { weight.first(place, count); });
  const T* const normalised = static_cast<const T*>(kResidual ? rows.sum_TD : rows.x_TD);
  const int64_t first = static_cast<int64_t>(blockIdx.x) * rows_a_block;
  const int64_t last = min(first + rows_a_block, rows.num_tokens);
  for (int64_t row = first; row < last; ++row) {
    const Row<T, kAligned, kKept> kept = {normalised + row * size, memory + padded(size)};
    float squares = 0;
    for_packets<T, kAligned>(size, [&](int place, int count) {
      const Packet<T> x = load_sum<T, kAligned, kResidual>(rows, row * size + place, count);
      kept.keep(place, x);
#pragma unroll
      for (int i = 0; i < kPacket<T>; ++i) squares += as_float(x.values[i]) * as_float(x.values[i]);
    });
    const float total = block_sum<kThreads>(squares, scratch[row % 2]);
    const float scale = 1.0f / sqrtf(total / static_cast<float>(size) + rows.eps);
    if (rows.inverse_T != nullptr && threadIdx.x == 0) rows.inverse_T[row] = scale;
    for_packets<T, kAligned>(size, [&](int place, int count) {
      Packet<T> y = kept.again(place, count);
      const Packet<T> weights = weight.again(place, count);
#pragma unroll
      for (int i = 0; i < kPacket<T>; ++i)
        y.values[i] = scaled(y.values[i], weights.values[i], scale);
      store_part<T, kAligned>(static_cast<T*>(rows.y_TD) + row * size + place, y, count);
    });
  }
}

// With n = x / rms and g = grad_y weight: grad_x = (g - n mean(g n)) / rms; the weight's gradient
// is the sum of grad_y n, made in shared memory, or at once where it belongs.
template <class T, bool kAligned, bool kKept>
__global__ void __launch_bounds__(kThreads) backward_kernel(const RmsNormBackward rows) {
  extern __shared__ __align__(16) unsigned char shared[];
  __shared__ float scratch[2][kThreads / kWarp];
  const int size = static_cast<int>(rows.size);
  float* const sums = rows.workspace + blockIdx.x * rows.size;
  float* const weight_sum = kKept ? reinterpret_cast<float*>(shared) : sums;
  T* const memory = reinterpret_cast<T*>(reinterpret_cast<float*>(shared) + padded(size));
  using Kept = Row<T, kAligned, kKept>;
  const Kept weight = {static_cast<const T*>(rows.weight_D), memory};
  for_packets<T, kAligned>(size, [&](int place, int count) {
    if (kKept) weight.first(place, count);
#pragma unroll
    for (int i = 0; i < kPacket<T>; ++i)
      if (kKept || i < count) weight_sum[place + i] = 0;
  });
  const int64_t first = static_cast<int64_t>(blockIdx.x) * kBackwardRows;
  const int64_t last = min(first + kBackwardRows, rows.num_tokens);
  for (int64_t row = first; row < last; ++row) {
    const float inverse = rows.inverse_T[row];
    const Kept kept_x = {static_cast<const T*>(rows.x_TD) + row * size, memory + padded(size)},
               kept_grad = {static_cast<const T*>(rows.grad_y_TD) + row * size,
                            memory + 2 * padded(size)};
    float products = 0;
    for_packets<T, kAligned>(size, [&](int place, int count) {
      const Packet<T> x = kept_x.first(place, count), grad = kept_grad.first(place, count),
                      weights = weight.again(place, count);
#pragma unroll
      for (int i = 0; i < kPacket<T>; ++i) {
        const float normalised = as_float(x.values[i]) * inverse, g = as_float(grad.values[i]);
        products += g * as_float(weights.values[i]) * normalised;
        if (kKept || i < count) weight_sum[place + i] += g * as_float(from_float<T>(normalised));
      }
    });
    const float mean = block_sum<kThreads>(products, scratch[row % 2]) / static_cast<float>(size);
    for_packets<T, kAligned>(size, [&](int place, int count) {
      const Packet<T> x = kept_x.again(place, count), weights = weight.again(place, count);
      Packet<T> grad = kept_grad.again(place, count), past;
      if (rows.grad_sum_TD != nullptr)
        past = load_part<T, kAligned>(static_cast<const T*>(rows.grad_sum_TD) + row * size + place,
                                      count);
#pragma unroll
      for (int i = 0; i < kPacket<T>; ++i) {
        const float g = as_float(grad.values[i]) * as_float(weights.values[i]);
        const float slope = (g - as_float(x.values[i]) * inverse * mean) * inverse;
        grad.values[i] =
            from_float<T>(rows.grad_sum_TD != nullptr ? as_float(past.values[i]) + slope : slope);
      }
      store_part<T, kAligned>(static_cast<T*>(rows.grad_x_TD) + row * size + place, grad, count);
    });
  }
  if (!kKept) return;
  __syncthreads();  // the packets of float32 belong to other threads than those of T
  for_packets<float, kAligned>(size, [&](int place, int count) {
    store_part<float, kAligned>(sums + place, load_packet<float, true>(weight_sum + place), count);
  });
}

// Adds the blocks' shares of kWarp columns: a warp every kSlices-th of them, then the warps' sums
// in order.
template <class T>
__global__ void __launch_bounds__(kThreads)
    weight_gradient_kernel(const RmsNormBackward rows, int64_t num_shares) {
  constexpr int kSlices = kThreads / kWarp;
  __shared__ float sums[kSlices][kWarp];
  const int slice = threadIdx.x / kWarp, lane = threadIdx.x % kWarp;
  const int64_t column = static_cast<int64_t>(blockIdx.x) * kWarp + lane;
  float sum = 0;
  if (column < rows.size)
    for (int64_t share = slice; share < num_shares; share += kSlices)
      sum += rows.workspace[share * rows.size + column];
  sums[slice][lane] = sum;
  __syncthreads();
  if (slice > 0 || column >= rows.size) return;
  for (int other = 1; other < kSlices; ++other) sum += sums[other][lane];
  static_cast<T*>(rows.grad_weight_D)[column] = from_float<T>(sum);
}

template <class T>
bool all_aligned(std::initializer_list<const void*> pointers, int64_t size) {
  for (const void* pointer : pointers)  // null counts as aligned
    if (!rows_are_aligned(static_cast<const T*>(pointer), size)) return false;
  return true;
}

// Whether a block of this kernel can have as much shared memory.
template <class Kernel>
bool can_have(Kernel kernel, int64_t bytes) {
  if (bytes <= 40 << 10) return true;
  if (bytes > kSharedBytes) return false;
  if (cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize,
                           static_cast<int>(bytes)) == cudaSuccess)
    return true;
  cudaGetLastError();  // no error of the launch
  return false;
}

template <class T, bool kKept>
auto kernel_for(const RmsNormForward& rows) {
  const bool aligned = all_aligned<T>(
      {rows.x_TD, rows.weight_D, rows.y_TD, rows.residual_TD, rows.sum_TD}, rows.size);
  return rows.residual_TD != nullptr ? (aligned ? forward_kernel<T, true, true, kKept>
                                                : forward_kernel<T, false, true, kKept>)
                                     : (aligned ? forward_kernel<T, true, false, kKept>
                                                : forward_kernel<T, false, false, kKept>);
}

template <class T, bool kKept>
auto kernel_for(const RmsNormBackward& rows) {
  return all_aligned<T>(
             {rows.x_TD, rows.weight_D, rows.grad_y_TD, rows.grad_sum_TD, rows.grad_x_TD},
             rows.size)
             ? backward_kernel<T, true, kKept>
             : backward_kernel<T, false, kKept>;
}

// The rows kept in shared memory where `bytes` of it can be had.
template <class T, class Rows, class... Arguments>
cudaError_t launch_rows(const Rows& rows, unsigned blocks, int64_t bytes, cudaStream_t stream,
                        const Arguments&... arguments) {
  const auto kept = kernel_for<T, true>(rows), wide = kernel_for<T, false>(rows);
  if (can_have(kept, bytes))
    kept<<<blocks, kThreads, static_cast<size_t>(bytes), stream>>>(rows, arguments...);
  else
    wide<<<blocks, kThreads, 0, stream>>>(rows, arguments...);
  return cudaGetLastError();
}

template <class T>
cudaError_t launch(const RmsNormForward& rows, cudaStream_t stream) {
  // Many tokens: several rows a block, which reads the weight once.
  const int64_t rows_a_block = rows.num_tokens < 1024 ? 1 : rows.num_tokens < 4096 ? 4 : 8;
  return launch_rows<T>(rows, blocks_for(rows.num_tokens, rows_a_block),
                        2 * padded(rows.size) * static_cast<int64_t>(sizeof(T)), stream,
                        static_cast<int>(rows_a_block));
}

template <class T>
cudaError_t launch(const RmsNormBackward& rows, cudaStream_t stream) {
  const int64_t num_shares = rms_norm_workspace(rows.num_tokens);
  const int64_t bytes = padded(rows.size) * static_cast<int64_t>(sizeof(float) + 3 * sizeof(T));
  if (num_shares > 0) {
    const cudaError_t status =
        launch_rows<T>(rows, static_cast<unsigned>(num_shares), bytes, stream);
    if (status != cudaSuccess) return status;
  }
  weight_gradient_kernel<T>
      <<<blocks_for(rows.size, kWarp), kThreads, 0, stream>>>(rows, num_shares);
  return cudaGetLastError();
}

template <class Rows>
bool sizes_fit(const Rows& rows) {
  return rows.num_tokens >= 0 && rows.num_tokens <= INT32_MAX && rows.size > 0 &&
         rows.size <= kMostColumns;
}

}  // namespace

cudaError_t rms_norm_forward_cuda(const RmsNormForward& rows, cudaStream_t stream) {
  if (!sizes_fit(rows)) return cudaErrorInvalidValue;
  if (rows.num_tokens == 0) return cudaSuccess;
  return with_type(rows.type, [&](auto type) { return launch<decltype(type)>(rows, stream); });
}

int64_t rms_norm_workspace(int64_t num_tokens) {
  return (num_tokens + kBackwardRows - 1) / kBackwardRows;
}

cudaError_t rms_norm_backward_cuda(const RmsNormBackward& rows, cudaStream_t stream) {
  if (!sizes_fit(rows)) return cudaErrorInvalidValue;
  return with_type(rows.type, [&](auto type) { return launch<decltype(type)>(rows, stream); });
}

}  // namespace covrl::kernels
