// Online softmax statistics of a row of logits, for the kernels that score and that sample: the
// same arithmetic in the same order, so that a sampled token has the bits that scoring its row
// gives it.
#pragma once

#include "kernels/cuda/device.cuh"

namespace covrl::kernels::cuda {

inline constexpr int kRowThreads = 512;   // of the block that reduces a row
inline constexpr float kLowest = -87.0f;  // bound of d in exp(d) d, where 0 * -inf would be NaN

// Largest logit, sum of exp(d) and of exp(d) d, with d = (z - max) / temperature. NaN, +inf and
// nothing but -inf leave a sum that is NaN or 0.
struct RowState {
  float max;
  float sum;
  float sum_shifted;
};

__device__ inline RowState empty_row() { return {-INFINITY, 0, 0}; }

__device__ inline RowState rescaled(RowState state, float max, float inverse_temperature) {
  if (state.sum == 0 || state.max == max) return {max, state.sum, state.sum_shifted};
  const float shift = (state.max - max) * inverse_temperature;
  const float scale = expf(shift);
  return {max, state.sum * scale, (state.sum_shifted + state.sum * shift) * scale};
}

__device__ inline RowState merged(RowState a, RowState b, float inverse_temperature) {
  const float max = fmaxf(a.max, b.max);
  a = rescaled(a, max, inverse_temperature);
  b = rescaled(b, max, inverse_temperature);
  return {max, a.sum + b.sum, a.sum_shifted + b.sum_shifted};
}

__device__ inline void fold(RowState& state, float logit, float inverse_temperature) {
  const float origin = state.max == -INFINITY ? 0.0f : state.max;
  const float d = (logit - origin) * inverse_temperature;
  const float weight = expf(d);
  state.sum += weight;
  state.sum_shifted += weight * fmaxf(d, kLowest);
}

__device__ inline RowState warp_merged(RowState state, float inverse_temperature) {
#pragma unroll
  for (int offset = kWarp / 2; offset > 0; offset /= 2) {
    const RowState other = {__shfl_xor_sync(0xffffffffu, state.max, offset),
                            __shfl_xor_sync(0xffffffffu, state.sum, offset),
                            __shfl_xor_sync(0xffffffffu, state.sum_shifted, offset)};
    state = merged(state, other, inverse_temperature);
  }
  return state;
}

// The logits that fall to this thread of kRowThreads.
template <class T, bool kAligned>
__device__ RowState thread_state(const T* logits, int num_ids, float inverse_temperature) {
  RowState state = empty_row();
  const int whole = num_ids - num_ids % kPacket<T>;
  for (int id = threadIdx.x * kPacket<T>; id < whole; id += kRowThreads * kPacket<T>) {
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

// The whole row, reduced by a block of kRowThreads; every thread of it has the result.
template <class T, bool kAligned>
__device__ RowState block_state(const T* logits, int num_ids, float inverse_temperature) {
  constexpr int kWarps = kRowThreads / kWarp;
  __shared__ RowState warps[kWarps];
  RowState state = thread_state<T, kAligned>(logits, num_ids, inverse_temperature);
  state = warp_merged(state, inverse_temperature);
  if (threadIdx.x % kWarp == 0) warps[threadIdx.x / kWarp] = state;
  __syncthreads();
  const int lane = threadIdx.x % kWarp;
  return warp_merged(lane < kWarps ? warps[lane] : empty_row(), inverse_temperature);
}

__device__ inline float row_entropy(RowState state) {
  return logf(state.sum) - state.sum_shifted / state.sum;
}

__device__ inline float row_logprob(RowState state, float logit, float inverse_temperature) {
  return (logit - state.max) * inverse_temperature - logf(state.sum);
}

}  // namespace covrl::kernels::cuda
