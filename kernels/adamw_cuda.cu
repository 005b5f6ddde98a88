#include "kernels/adamw_cuda.h"

#include "kernels/cuda/device.cuh"

namespace covrl::kernels {
namespace {

using namespace cuda;

constexpr int kThreads = 256;
constexpr int kNormPackets = 16;  // packets of the gradient that a thread squares
constexpr int64_t kNormPart = int64_t{kThreads} * kNormPackets * kPacket<float>;

// Explicit roundings: the compiler would fuse products and sums otherwise, and part from the CPU's
// bits.
__device__ void step_element(float& param, float grad, float& exp_avg, float& exp_avg_sq,
                             float grad_scale, const AdamwScalars& s) {
  const float g = __fmul_rn(grad, grad_scale);
  const float m = __fadd_rn(exp_avg, __fmul_rn(s.beta1_complement, __fsub_rn(g, exp_avg)));
  const float v =
      __fadd_rn(__fmul_rn(exp_avg_sq, s.beta2), __fmul_rn(__fmul_rn(s.beta2_complement, g), g));
  const float denominator = __fadd_rn(__fdiv_rn(__fsqrt_rn(v), s.sqrt_correction2), s.eps);
  param =
      __fadd_rn(__fmul_rn(param, s.decay), __fdiv_rn(__fmul_rn(s.negative_step, m), denominator));
  exp_avg = m;
  exp_avg_sq = v;
}

__device__ float clipped_scale(const AdamwScalars& s, double norm) {
  return static_cast<float>(s.grad_scale * fmin(1.0, s.max_norm / (norm + kClipEpsilon)));
}

// Weights of 16 bits: the same number of them as a packet of param has.
template <class W>
struct alignas(kPacket<float> * sizeof(W)) WeightPart {
  W values[kPacket<float>];
};

template <class W, bool kAligned>
__device__ void store_weights(W* to, const Packet<float>& param, int count) {
  WeightPart<W> part;
#pragma unroll
  for (int i = 0; i < kPacket<float>; ++i) part.values[i] = from_float<W>(param.values[i]);
  if (kAligned && count == kPacket<float>) {
    *reinterpret_cast<WeightPart<W>*>(to) = part;
  } else {
    for (int i = 0; i < count; ++i) to[i] = part.values[i];
  }
}

// W: type of the weights; float: there are none.
template <class W, bool kAligned>
__global__ void __launch_bounds__(kThreads)
    adamw_kernel(const AdamwBuffers buffers, const AdamwScalars scalars) {
  const int64_t first =
      (static_cast<int64_t>(blockIdx.x) * kThreads + threadIdx.x) * kPacket<float>;
  if (first >= buffers.count) return;
  const int left =
      static_cast<int>(min(static_cast<int64_t>(kPacket<float>), buffers.count - first));
  const float grad_scale = buffers.grad_norm != nullptr ? clipped_scale(scalars, *buffers.grad_norm)
                                                        : scalars.grad_scale;
  Packet<float> param = load_part<float, kAligned>(buffers.param + first, left);
  const Packet<float> grad = load_part<float, kAligned>(buffers.grad + first, left);
  Packet<float> exp_avg = load_part<float, kAligned>(buffers.exp_avg + first, left);
  Packet<float> exp_avg_sq = load_part<float, kAligned>(buffers.exp_avg_sq + first, left);
#pragma unroll
  for (int i = 0; i < kPacket<float>; ++i)
    step_element(param.values[i], grad.values[i], exp_avg.values[i], exp_avg_sq.values[i],
                 grad_scale, scalars);
  store_part<float, kAligned>(buffers.param + first, param, left);
  store_part<float, kAligned>(buffers.exp_avg + first, exp_avg, left);
  store_part<float, kAligned>(buffers.exp_avg_sq + first, exp_avg_sq, left);
  if constexpr (!std::is_same_v<W, float>)
    store_weights<W, kAligned>(static_cast<W*>(buffers.weights) + first, param, left);
}

template <bool kAligned>
__global__ void __launch_bounds__(kThreads) squares_kernel(const GradientNorm gradient) {
  __shared__ double scratch[kThreads / kWarp];
  const int64_t first = blockIdx.x * kNormPart + threadIdx.x * kPacket<float>;
  double squares = 0;
#pragma unroll 4
  for (int step = 0; step < kNormPackets; ++step) {
    const int64_t place = first + int64_t{step} * kThreads * kPacket<float>;
    if (place >= gradient.count) break;
    const int left =
        static_cast<int>(min(static_cast<int64_t>(kPacket<float>), gradient.count - place));
    const Packet<float> grad = load_part<float, kAligned>(gradient.grad + place, left);
#pragma unroll
    for (int i = 0; i < kPacket<float>; ++i)
      squares += static_cast<double>(grad.values[i]) * static_cast<double>(grad.values[i]);
  }
  squares = block_sum<kThreads>(squares, scratch);
  if (threadIdx.x == 0) gradient.workspace[blockIdx.x] = squares;
}

__global__ void __launch_bounds__(kThreads)
    norm_kernel(const GradientNorm gradient, int64_t num_parts) {
  __shared__ double scratch[kThreads / kWarp];
  double squares = 0;
  for (int64_t part = threadIdx.x; part < num_parts; part += kThreads)
    squares += gradient.workspace[part];
  squares = block_sum<kThreads>(squares, scratch);
  if (threadIdx.x == 0) *gradient.norm = sqrt(squares);
}

bool all_aligned(std::initializer_list<const float*> pointers) {
  for (const float* pointer : pointers)
    if (!rows_are_aligned(pointer, kPacket<float>)) return false;
  return true;
}

template <class W>
cudaError_t launch(const AdamwBuffers& b, const AdamwScalars& scalars, unsigned blocks,
                   cudaStream_t stream) {
  const bool aligned = all_aligned({b.param, b.grad, b.exp_avg, b.exp_avg_sq}) &&
                       reinterpret_cast<uintptr_t>(b.weights) % sizeof(WeightPart<W>) == 0;
  const auto kernel = aligned ? adamw_kernel<W, true> : adamw_kernel<W, false>;
  kernel<<<blocks, kThreads, 0, stream>>>(b, scalars);
  return cudaGetLastError();
}

}  // namespace

cudaError_t adamw_cuda(const AdamwBuffers& buffers, const AdamwScalars& scalars,
                       cudaStream_t stream) {
  if (buffers.count == 0) return cudaSuccess;
  const unsigned blocks =
      buffers.count > 0 ? blocks_for(buffers.count, kThreads * kPacket<float>) : 0;
  if (blocks == 0) return cudaErrorInvalidValue;
  if (buffers.weights == nullptr) return launch<float>(buffers, scalars, blocks, stream);
  if (buffers.weights_type == CudaType::kFloat32) return cudaErrorInvalidValue;
  return with_type(buffers.weights_type, [&](auto type) {
    return launch<decltype(type)>(buffers, scalars, blocks, stream);
  });
}

int64_t gradient_norm_workspace(int64_t count) { return (count + kNormPart - 1) / kNormPart; }

cudaError_t gradient_norm_cuda(const GradientNorm& gradient, cudaStream_t stream) {
  if (gradient.count < 0) return cudaErrorInvalidValue;
  const int64_t num_parts = gradient_norm_workspace(gradient.count);
  if (num_parts > 0) {
    const unsigned blocks = blocks_for(num_parts, 1);
    if (blocks == 0) return cudaErrorInvalidValue;
    const auto kernel = all_aligned({gradient.grad}) ? squares_kernel<true> : squares_kernel<false>;
    kernel<<<blocks, kThreads, 0, stream>>>(gradient);
    const cudaError_t status = cudaGetLastError();
    if (status != cudaSuccess) return status;
  }
  norm_kernel<<<1, kThreads, 0, stream>>>(gradient, num_parts);
  return cudaGetLastError();
}

}  // namespace covrl::kernels
