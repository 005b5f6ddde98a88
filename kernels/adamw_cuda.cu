#include "kernels/adamw_cuda.h"

#include "kernels/cuda/device.cuh"

namespace covrl::kernels {
namespace {

using namespace cuda;

constexpr int kThreads = 256;

// Explicit roundings: the compiler would fuse products and sums otherwise, and part from the CPU's
// bits.
__device__ void step_element(float& param, float grad, float& exp_avg, float& exp_avg_sq,
                             const AdamwScalars& s) {
  const float g = __fmul_rn(grad, s.grad_scale);
  const float m = __fadd_rn(exp_avg, __fmul_rn(s.beta1_complement, __fsub_rn(g, exp_avg)));
  const float v =
      __fadd_rn(__fmul_rn(exp_avg_sq, s.beta2), __fmul_rn(__fmul_rn(s.beta2_complement, g), g));
  const float denominator = __fadd_rn(__fdiv_rn(__fsqrt_rn(v), s.sqrt_correction2), s.eps);
  param =
      __fadd_rn(__fmul_rn(param, s.decay), __fdiv_rn(__fmul_rn(s.negative_step, m), denominator));
  exp_avg = m;
  exp_avg_sq = v;
}

template <bool kAligned>
__global__ void __launch_bounds__(kThreads)
    adamw_kernel(const AdamwBuffers buffers, const AdamwScalars scalars) {
  const int64_t first =
      (static_cast<int64_t>(blockIdx.x) * kThreads + threadIdx.x) * kPacket<float>;
  if (first + kPacket<float> <= buffers.count) {
    Packet<float> param = load_packet<float, kAligned>(buffers.param + first);
    const Packet<float> grad = load_packet<float, kAligned>(buffers.grad + first);
    Packet<float> exp_avg = load_packet<float, kAligned>(buffers.exp_avg + first);
    Packet<float> exp_avg_sq = load_packet<float, kAligned>(buffers.exp_avg_sq + first);
#pragma unroll
    for (int i = 0; i < kPacket<float>; ++i)
      step_element(param.values[i], grad.values[i], exp_avg.values[i], exp_avg_sq.values[i],
                   scalars);
    store_packet<float, kAligned>(buffers.param + first, param);
    store_packet<float, kAligned>(buffers.exp_avg + first, exp_avg);
    store_packet<float, kAligned>(buffers.exp_avg_sq + first, exp_avg_sq);
  } else {
    for (int64_t i = first; i < buffers.count; ++i)
      step_element(buffers.param[i], buffers.grad[i], buffers.exp_avg[i], buffers.exp_avg_sq[i],
                   scalars);
  }
}

}  // namespace

cudaError_t adamw_cuda(const AdamwBuffers& buffers, const AdamwScalars& scalars,
                       cudaStream_t stream) {
  if (buffers.count == 0) return cudaSuccess;
  const unsigned blocks =
      buffers.count > 0 ? blocks_for(buffers.count, kThreads * kPacket<float>) : 0;
  if (blocks == 0) return cudaErrorInvalidValue;
  const bool aligned = rows_are_aligned(buffers.param, kPacket<float>) &&
                       rows_are_aligned(buffers.grad, kPacket<float>) &&
                       rows_are_aligned(buffers.exp_avg, kPacket<float>) &&
                       rows_are_aligned(buffers.exp_avg_sq, kPacket<float>);
  const auto kernel = aligned ? adamw_kernel<true> : adamw_kernel<false>;
  kernel<<<blocks, kThreads, 0, stream>>>(buffers, scalars);
  return cudaGetLastError();
}

}  // namespace covrl::kernels
