#include "kernels/token_logprob_cuda.h"

#include "kernels/cuda/device.cuh"
#include "kernels/cuda/softmax_row.cuh"

namespace covrl::kernels {
namespace {

using namespace cuda;

constexpr int kBackwardThreads = 256;
constexpr int kFinishThreads = 128;
constexpr int kBackwardPackets = 4;  // packets a thread takes

// The results of a row; Rows: TokenLogprobForward or TokenLogprobFinish.
template <class Rows>
__device__ void finish(const Rows& rows, int64_t token, RowState state, float target_logit) {
  const float entropy = row_entropy(state);
  rows.logprob_T[token] = row_logprob(state, target_logit, rows.inverse_temperature);
  rows.entropy_T[token] = entropy;
  rows.statistics_3T[token] = state.max;
  rows.statistics_3T[rows.num_tokens + token] = logf(state.sum);
  rows.statistics_3T[2 * rows.num_tokens + token] = entropy;
}

template <class T, bool kAligned>
__global__ void __launch_bounds__(kRowThreads) forward_kernel(const TokenLogprobForward rows) {
  const int64_t token = blockIdx.x;
  const T* logits = static_cast<const T*>(rows.logits_TV) + token * rows.num_ids;
  const RowState state =
      block_state<T, kAligned>(logits, static_cast<int>(rows.num_ids), rows.inverse_temperature);
  if (threadIdx.x == 0) finish(rows, token, state, as_float(logits[rows.targets_T[token]]));
}

template <class T, bool kAligned>
__global__ void __launch_bounds__(kRowThreads) fold_kernel(const TokenLogprobFold tile) {
  const int64_t token = blockIdx.x;
  const T* logits = static_cast<const T*>(tile.logits_TW) + token * tile.num_ids;
  RowState state =
      block_state<T, kAligned>(logits, static_cast<int>(tile.num_ids), tile.inverse_temperature);
  if (threadIdx.x > 0) return;
  float* max = tile.state_4T + token;
  float* sum = max + tile.num_tokens;
  float* sum_shifted = sum + tile.num_tokens;
  float* target_logit = sum_shifted + tile.num_tokens;
  if (tile.first_id > 0)
    state = merged({*max, *sum, *sum_shifted}, state, tile.inverse_temperature);
  *max = state.max;
  *sum = state.sum;
  *sum_shifted = state.sum_shifted;
  const int64_t place = tile.targets_T[token] - tile.first_id;
  if (place >= 0 && place < tile.num_ids) *target_logit = as_float(logits[place]);
}

__global__ void __launch_bounds__(kFinishThreads) finish_kernel(const TokenLogprobFinish rows) {
  const int64_t token = static_cast<int64_t>(blockIdx.x) * kFinishThreads + threadIdx.x;
  if (token >= rows.num_tokens) return;
  const float* state = rows.state_4T + token;
  finish(rows, token, {state[0], state[rows.num_tokens], state[2 * rows.num_tokens]},
         state[3 * rows.num_tokens]);
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
                                 rows.targets_T[token] - rows.first_id};
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
  kernel<<<static_cast<unsigned>(rows.num_tokens), kRowThreads, 0, stream>>>(rows);
  return cudaGetLastError();
}

template <class T>
cudaError_t launch_fold(const TokenLogprobFold& tile, cudaStream_t stream) {
  const bool aligned = rows_are_aligned(static_cast<const T*>(tile.logits_TW), tile.num_ids);
  const auto kernel = aligned ? fold_kernel<T, true> : fold_kernel<T, false>;
  kernel<<<static_cast<unsigned>(tile.num_tokens), kRowThreads, 0, stream>>>(tile);
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

cudaError_t token_logprob_fold_cuda(const TokenLogprobFold& tile, cudaStream_t stream) {
  if (!sizes_fit(tile.num_tokens, tile.num_ids) || tile.first_id < 0) return cudaErrorInvalidValue;
  if (tile.num_tokens == 0) return cudaSuccess;
  return with_type(tile.type, [&](auto type) { return launch_fold<decltype(type)>(tile, stream); });
}

cudaError_t token_logprob_finish_cuda(const TokenLogprobFinish& rows, cudaStream_t stream) {
  if (!sizes_fit(rows.num_tokens, 1)) return cudaErrorInvalidValue;
  if (rows.num_tokens == 0) return cudaSuccess;
  finish_kernel<<<blocks_for(rows.num_tokens, kFinishThreads), kFinishThreads, 0, stream>>>(rows);
  return cudaGetLastError();
}

cudaError_t token_logprob_backward_cuda(const TokenLogprobBackward& rows, cudaStream_t stream) {
  if (!sizes_fit(rows.num_tokens, rows.num_ids)) return cudaErrorInvalidValue;
  if (rows.num_tokens == 0) return cudaSuccess;
  return with_type(rows.type,
                   [&](auto type) { return launch_backward<decltype(type)>(rows, stream); });
}

}  // namespace covrl::kernels
