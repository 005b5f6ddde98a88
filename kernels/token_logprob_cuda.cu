#include "kernels/token_logprob_cuda.h"

#include "kernels/cuda/device.cuh"

namespace covrl::kernels {
namespace {

using namespace cuda;

constexpr int kForwardThreads = 512;
constexpr int kBackwardThreads = 256;
constexpr int kBackwardPackets = 4;  // packets a thread takes
constexpr float kLowest = -87.0f;    // bound of d in exp(d) d, where 0 * -inf would be NaN

// Largest logit, sum of exp(d) and of exp(d) d, with d = (z - max) / temperature.
struct RowState {
  float max;
  float sum;
  float sum_shifted;
};

__device__ RowState rescaled(RowState state, float max, float inverse_temperature) {
  if (state.sum == 0 || state.max == max) return {max, state.sum, state.sum_shifted};
  const float shift = (state.max - max) * inverse_temperature;
  const float scale = expf(shift);
  return {max, state.sum * scale, (state.sum_shifted + state.sum * shift) * scale};
}

__device__ RowState merged(RowState a, RowState b, float inverse_temperature) {
  const float max = fmaxf(a.max, b.max);
  a = rescaled(a, max, inverse_temperature);
  b = rescaled(b, max, inverse_temperature);
  return {max, a.sum + b.sum, a.sum_shifted + b.sum_shifted};
}

__device__ void fold(RowState& state, float logit, float inverse_temperature) {
  const float origin = state.max == -INFINITY ? 0.0f : state.max;
  const float d = (logit - origin) * inverse_temperature;
  const float weight = expf(d);
  state.sum += weight;
  state.sum_shifted += weight * fmaxf(d, kLowest);
}

__device__ RowState warp_merged(RowState state, float inverse_temperature) {
#pragma unroll
  for (int offset = kWarp / 2; offset > 0; offset /= 2) {
    const RowState other = {__shfl_xor_sync(0xffffffffu, state.max, offset),
                            __shfl_xor_sync(0xffffffffu, state.sum, offset),
                            __shfl_xor_sync(0xffffffffu, state.sum_shifted, offset)};
    state = merged(state, other, inverse_temperature);
  }
  return state;
}

template <class T, bool kAligned>
__device__ RowState thread_state(const T* logits, int num_ids, float inverse_temperature) {
  RowState state = {-INFINITY, 0, 0};
  const int whole = num_ids - num_ids % kPacket<T>;
  for (int id = threadIdx.x * kPacket<T>; id < whole; id += kForwardThreads * kPacket<T>) {
    const Packet<T> packet = load_packet<T, kAligned>(logits + id);
    float max = state.max;
#pragma unroll
    for (int i = 0; i < kPacket<T>; ++i) max = fmaxf(max, as_float(packet.values[i]));
    state = rescaled(state, max, inverse_temperature);
#pragma unroll
    for (int i = 0; i < kPacket<T>; ++i)
      fold(state, as_float(packet.values[i]), inverse_temperature);
  }
  if (whole + static_cast<int>(threadIdx.x) < num_ids) {
    const float logit = as_float(logits[whole + threadIdx.x]);
    state = rescaled(state, fmaxf(state.max, logit), inverse_temperature);
    fold(state, logit, inverse_temperature);
  }
  return state;
}

template <class T, bool kAligned>
__global__ void __launch_bounds__(kForwardThreads) forward_kernel(const TokenLogprobForward rows) {
  constexpr int kWarps = kForwardThreads / kWarp;
  __shared__ RowState warps[kWarps];
  const int64_t token = blockIdx.x;
  const T* logits = static_cast<const T*>(rows.logits_TV) + token * rows.num_ids;
  RowState state =
      thread_state<T, kAligned>(logits, static_cast<int>(rows.num_ids), rows.inverse_temperature);
  state = warp_merged(state, rows.inverse_temperature);
  if (threadIdx.x % kWarp == 0) warps[threadIdx.x / kWarp] = state;
  __syncthreads();
  if (threadIdx.x >= kWarp) return;
  state = threadIdx.x < kWarps ? warps[threadIdx.x] : RowState{-INFINITY, 0, 0};
  state = warp_merged(state, rows.inverse_temperature);
  if (threadIdx.x > 0) return;
  const float log_sum = logf(state.sum);
  const float entropy = log_sum - state.sum_shifted / state.sum;
  const float target = as_float(logits[rows.targets_T[token]]);
  rows.logprob_T[token] = (target - state.max) * rows.inverse_temperature - log_sum;
  rows.entropy_T[token] = entropy;
  rows.statistics_3T[token] = state.max;
  rows.statistics_3T[rows.num_tokens + token] = log_sum;
  rows.statistics_3T[2 * rows.num_tokens + token] = entropy;
}

// What differentiates a logit, in registers.
struct Derivative {
  float max, log_sum, entropy, inverse_temperature, grad_logprob, grad_entropy;
  int64_t target;

  __device__ float operator()(float logit, int64_t id) const {
    const float logprob = (logit - max) * inverse_temperature - log_sum;
    const float pull = grad_logprob + grad_entropy * (fmaxf(logprob, kLowest) + entropy);
    return (id == target ? grad_logprob : 0.0f) - expf(logprob) * pull;
  }
};

template <class T, bool kAligned>
__global__ void __launch_bounds__(kBackwardThreads)
    backward_kernel(const TokenLogprobBackward rows, unsigned parts) {
  constexpr int kPart = kBackwardThreads * kBackwardPackets * kPacket<T>;
  const int64_t token = blockIdx.x / parts;
  const float scale = rows.inverse_temperature;
  const Derivative derivative = {rows.statistics_3T[token],
                                 rows.statistics_3T[rows.num_tokens + token],
                                 rows.statistics_3T[2 * rows.num_tokens + token],
                                 scale,
                                 rows.grad_logprob_T[token] * scale,
                                 rows.grad_entropy_T[token] * scale,
                                 rows.targets_T[token]};
  T* logits = static_cast<T*>(rows.logits_TV) + token * rows.num_ids;
  const int64_t first = static_cast<int64_t>(blockIdx.x % parts) * kPart + threadIdx.x * kPacket<T>;
#pragma unroll
  for (int step = 0; step < kBackwardPackets; ++step) {
    const int64_t id = first + step * kBackwardThreads * kPacket<T>;
    if (id + kPacket<T> <= rows.num_ids) {
      Packet<T> packet = load_packet<T, kAligned>(logits + id);
#pragma unroll
      for (int i = 0; i < kPacket<T>; ++i)
        packet.values[i] = from_float<T>(derivative(as_float(packet.values[i]), id + i));
      store_packet<T, kAligned>(logits + id, packet);
    } else {
      for (int64_t last = id; last < rows.num_ids; ++last)
        logits[last] = from_float<T>(derivative(as_float(logits[last]), last));
    }
  }
}

template <class T>
cudaError_t launch_forward(const TokenLogprobForward& rows, cudaStream_t stream) {
  const bool aligned = rows_are_aligned(static_cast<const T*>(rows.logits_TV), rows.num_ids);
  const auto kernel = aligned ? forward_kernel<T, true> : forward_kernel<T, false>;
  kernel<<<static_cast<unsigned>(rows.num_tokens), kForwardThreads, 0, stream>>>(rows);
  return cudaGetLastError();
}

template <class T>
cudaError_t launch_backward(const TokenLogprobBackward& rows, cudaStream_t stream) {
  const unsigned parts = blocks_for(rows.num_ids, kBackwardThreads * kBackwardPackets * kPacket<T>);
  const unsigned blocks = blocks_for(parts * rows.num_tokens, 1);
  if (blocks == 0) return cudaErrorInvalidValue;
  const bool aligned = rows_are_aligned(static_cast<const T*>(rows.logits_TV), rows.num_ids);
  const auto kernel = aligned ? backward_kernel<T, true> : backward_kernel<T, false>;
  kernel<<<blocks, kBackwardThreads, 0, stream>>>(rows, parts);
  return cudaGetLastError();
}

bool sizes_fit(int64_t num_tokens, int64_t num_ids) {
  return num_tokens >= 0 && num_tokens <= INT32_MAX && num_ids > 0 && num_ids <= INT32_MAX / 2;
}

}  // namespace

cudaError_t token_logprob_forward_cuda(const TokenLogprobForward& rows, cudaStream_t stream) {
  if (!sizes_fit(rows.num_tokens, rows.num_ids)) return cudaErrorInvalidValue;
  if (rows.num_tokens == 0) return cudaSuccess;
  return with_type(rows.type,
                   [&](auto type) { return launch_forward<decltype(type)>(rows, stream); });
}

cudaError_t token_logprob_backward_cuda(const TokenLogprobBackward& rows, cudaStream_t stream) {
  if (!sizes_fit(rows.num_tokens, rows.num_ids)) return cudaErrorInvalidValue;
  if (rows.num_tokens == 0) return cudaSuccess;
  return with_type(rows.type,
                   [&](auto type) { return launch_backward<decltype(type)>(rows, stream); });
}

}  // namespace covrl::kernels
