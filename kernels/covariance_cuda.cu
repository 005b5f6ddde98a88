#include "kernels/covariance_cuda.h"

#include <cstddef>

#include "kernels/cuda/device.cuh"
#include "kernels/cuda/philox.cuh"

namespace covrl::kernels {
namespace {

using namespace cuda;

constexpr int kThreads = 256;
constexpr int kTokensPerThread = 16;
constexpr int kTokensPerBlock = kThreads * kTokensPerThread;

// Neighbouring tokens, of which the first `count` exist.
template <int kSize>
struct Group {
  int64_t first;
  int count;
  float logprob[kSize], advantage[kSize];
  bool inside[kSize];
};

template <int kSize>
struct alignas(kSize * sizeof(float)) Floats {
  float values[kSize];
};
template <int kSize>
struct alignas(kSize) Bools {
  bool values[kSize];
};

// Calls visit(group) for this block's tokens, kSize at a time. `kAligned`: groups of every column
// are read as a whole.
template <int kSize, bool kAligned, class Visit>
__device__ void for_groups(const CovarianceTokens& tokens, const Visit& visit) {
  for (int part = 0; part < kTokensPerThread / kSize; ++part) {
    Group<kSize> group;
    group.first = static_cast<int64_t>(blockIdx.x) * kTokensPerBlock +
                  (part * kThreads + static_cast<int>(threadIdx.x)) * kSize;
    if (group.first >= tokens.num_tokens) return;
    const int64_t left = tokens.num_tokens - group.first;
    group.count = left < kSize ? static_cast<int>(left) : kSize;
    if (kAligned && group.count == kSize) {
      const auto x = *reinterpret_cast<const Floats<kSize>*>(tokens.logprob_T + group.first),
                 a = *reinterpret_cast<const Floats<kSize>*>(tokens.advantage_T + group.first);
      const auto mask = *reinterpret_cast<const Bools<kSize>*>(tokens.mask_T + group.first);
#pragma unroll
      for (int i = 0; i < kSize; ++i) {
        group.logprob[i] = x.values[i];
        group.advantage[i] = a.values[i];
        group.inside[i] = mask.values[i];
      }
    } else {
#pragma unroll
      for (int i = 0; i < kSize; ++i) {
        const bool exists = i < group.count;
        group.logprob[i] = exists ? tokens.logprob_T[group.first + i] : 0.0f;
        group.advantage[i] = exists ? tokens.advantage_T[group.first + i] : 0.0f;
        group.inside[i] = exists && tokens.mask_T[group.first + i];
      }
    }
    visit(group);
  }
}

// --- Moments. ---

// Floats as integers of the same order.
__device__ int32_t ordered(float x) {
  const int32_t bits = __float_as_int(x);
  return bits >= 0 ? bits : bits ^ 0x7fffffff;
}
__device__ double from_ordered(int32_t order) {
  return static_cast<double>(__int_as_float(order >= 0 ? order : order ^ 0x7fffffff));
}
constexpr int32_t kBelowAll = INT32_MIN;

struct ColumnPart {
  long long high = 0, low = 0;
  int32_t largest = kBelowAll, flipped_smallest = kBelowAll;

  __device__ void add(float value, int scale) {
    const double x = static_cast<double>(value) * ldexp(1.0, 24 - scale);
    const long long nearest = __double2ll_rn(x);
    high += nearest;
    low += __double2ll_rn((x - static_cast<double>(nearest)) * 0x1p36);
    if (value != value) return;
    largest = max(largest, ordered(value));
    flipped_smallest = max(flipped_smallest, ~ordered(value));
  }

  // The warp's.
  __device__ void add_to(ColumnTotals& totals, ColumnExtremes& extremes) {
#pragma unroll
    for (int offset = kWarp / 2; offset > 0; offset /= 2) {
      high += __shfl_xor_sync(0xffffffffu, high, offset);
      low += __shfl_xor_sync(0xffffffffu, low, offset);
    }
    largest = __reduce_max_sync(0xffffffffu, largest);
    flipped_smallest = __reduce_max_sync(0xffffffffu, flipped_smallest);
    if (threadIdx.x % kWarp == 0)
      merge({static_cast<unsigned long long>(high), static_cast<unsigned long long>(low)},
            {largest, flipped_smallest}, totals, extremes);
  }

  __device__ static void merge(const ColumnTotals& part, const ColumnExtremes& part_extremes,
                               ColumnTotals& totals, ColumnExtremes& extremes) {
    atomicAdd(&totals.high, part.high);
    atomicAdd(&totals.low, part.low);
    atomicMax(&extremes.largest, part_extremes.largest);
    atomicMax(&extremes.flipped_smallest, part_extremes.flipped_smallest);
  }
};

__device__ MomentTotals no_totals() {
  return {0, 0, {0, 0}, {0, 0}, {kBelowAll, kBelowAll}, {kBelowAll, kBelowAll}};
}

__global__ void begin_moments(CovarianceState* state) {
  state->totals = no_totals();
  state->logprob_scale = state->advantage_scale = 0;
  state->num_passes = 2;
}

template <bool kAligned>
__global__ void __launch_bounds__(kThreads)
    moments_kernel(const CovarianceTokens tokens, CovarianceState* state) {
  if (state->num_passes == 0) return;
  __shared__ MomentTotals block;
  if (threadIdx.x == 0) block = no_totals();
  __syncthreads();
  const int logprob_scale = state->logprob_scale, advantage_scale = state->advantage_scale;
  ColumnPart logprob, advantage;
  unsigned count = 0, num_nan = 0;
  for_groups<4, kAligned>(tokens, [&](const Group<4>& group) {
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      if (!group.inside[i]) continue;
      ++count;
      num_nan += isnan(group.logprob[i]) || isnan(group.advantage[i]) ? 1 : 0;
      logprob.add(group.logprob[i], logprob_scale);
      advantage.add(group.advantage[i], advantage_scale);
    }
  });
  logprob.add_to(block.logprob, block.logprob_extremes);
  advantage.add_to(block.advantage, block.advantage_extremes);
  count = __reduce_add_sync(0xffffffffu, count);
  num_nan = __reduce_add_sync(0xffffffffu, num_nan);
  if (threadIdx.x % kWarp == 0) {
    atomicAdd(&block.count, static_cast<unsigned long long>(count));
    atomicAdd(&block.num_nan, static_cast<unsigned long long>(num_nan));
  }
  __syncthreads();
  if (threadIdx.x != 0) return;
  MomentTotals& totals = state->totals;
  ColumnPart::merge(block.logprob, block.logprob_extremes, totals.logprob, totals.logprob_extremes);
  ColumnPart::merge(block.advantage, block.advantage_extremes, totals.advantage,
                    totals.advantage_extremes);
  atomicAdd(&totals.count, block.count);
  atomicAdd(&totals.num_nan, block.num_nan);
}

__device__ ColumnSums sums_of(const ColumnTotals& totals, const ColumnExtremes& extremes) {
  ColumnSums sums;
  sums.high = static_cast<int64_t>(totals.high);
  sums.low = static_cast<int64_t>(totals.low);
  if (extremes.largest == kBelowAll) return sums;  // no number
  sums.smallest = from_ordered(~extremes.flipped_smallest);
  sums.largest = from_ordered(extremes.largest);
  return sums;
}

// One thread. Where the sums overflowed, a second pass makes them at another scale.
__global__ void finish_moments(CovarianceState* state) {
  if (state->num_passes == 0) return;
  const MomentTotals& totals = state->totals;
  MomentSums sums;
  sums.count = static_cast<int64_t>(totals.count);
  sums.num_nan = static_cast<int64_t>(totals.num_nan);
  sums.logprob = sums_of(totals.logprob, totals.logprob_extremes);
  sums.advantage = sums_of(totals.advantage, totals.advantage_extremes);
  const int logprob_scale = exact_scale(sums.logprob, sums.count),
            advantage_scale = exact_scale(sums.advantage, sums.count);
  if (state->num_passes == 2 && (logprob_scale > 0 || advantage_scale > 0)) {
    state->logprob_scale = max(logprob_scale, 0);
    state->advantage_scale = max(advantage_scale, 0);
    state->totals = no_totals();
    state->num_passes = 1;
    return;
  }
  state->moments = {sums.count, mean_of(sums.logprob, sums, logprob_scale),
                    mean_of(sums.advantage, sums, advantage_scale)};
  state->totals = no_totals();
  state->num_passes = 0;
}

// --- Covariances. ---

struct Means {
  double logprob, advantage;

  __device__ explicit Means(const CovarianceState* state)
      : logprob(state->moments.mean_logprob), advantage(state->moments.mean_advantage) {}
  __device__ double covariance(float of_logprob, float of_advantage) const {
    return __dmul_rn(__dsub_rn(of_logprob, logprob), __dsub_rn(of_advantage, advantage));
  }
};

template <bool kAligned>
__global__ void __launch_bounds__(kThreads)
    covariance_kernel(const CovarianceTokens tokens, const CovarianceState* state,
                      double* covariance_T) {
  const Means means(state);
  for_groups<2, kAligned>(tokens, [&](const Group<2>& group) {
    double2 values;
    values.x = group.inside[0] ? means.covariance(group.logprob[0], group.advantage[0]) : 0;
    values.y = group.inside[1] ? means.covariance(group.logprob[1], group.advantage[1]) : 0;
    if (kAligned && group.count == 2) {
      *reinterpret_cast<double2*>(covariance_T + group.first) = values;
    } else {
      covariance_T[group.first] = values.x;
      if (group.count == 2) covariance_T[group.first + 1] = values.y;
    }
  });
}

// --- Selection. ---

// What is selected by the largest keys. id_key: asked for where keys alone do not decide.
struct LargestKeys {
  __device__ bool key_of(const CovarianceTokens&, int64_t, double covariance, uint64_t& key) const {
    key = radix_key(covariance);
    return true;
  }
};

struct BandKeys {
  CovarianceBandChoice wanted;

  __device__ bool key_of(const CovarianceTokens& tokens, int64_t token, double covariance,
                         uint64_t& key) const {
    if (!(covariance > wanted.lower && covariance < wanted.upper)) return false;
    if (wanted.excluded_T != nullptr && wanted.excluded_T[token]) return false;
    const uint64_t id = static_cast<uint64_t>(tokens.id_T[token]);
    const uint4 words = philox4x32(
        make_uint4(wanted.step, static_cast<uint32_t>(id >> 32), static_cast<uint32_t>(id), 0),
        make_uint2(wanted.key[0], wanted.key[1]));
    key = ~(static_cast<uint64_t>(words.x) << 32 | words.y);  // the smallest draws
    return true;
  }
};

__global__ void __launch_bounds__(kThreads)
    begin_search(int64_t number, bool whole_key, CovarianceState* state) {
  for (int bin = threadIdx.x; bin < kRadixBins; bin += kThreads) state->histogram[bin] = 0;
  if (threadIdx.x != 0) return;
  state->num_other_than_zero = 0;
  state->num_candidates = 0;
  state->search = RadixSearch();
  state->search.wanted = number;
  state->search.whole_key = whole_key;
}

template <class Keys, bool kAligned>
__global__ void __launch_bounds__(kThreads)
    histogram_kernel(const CovarianceTokens tokens, const Keys keys, CovarianceState* state) {
  const RadixSearch search = state->search;
  if (search.done()) return;
  __shared__ unsigned bins[kRadixBins];
  for (int bin = threadIdx.x; bin < kRadixBins; bin += kThreads) bins[bin] = 0;
  __syncthreads();
  const Means means(state);
  unsigned num_other_than_zero = 0;
  for_groups<4, kAligned>(tokens, [&](const Group<4>& group) {
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      if (!group.inside[i]) continue;
      const double covariance = means.covariance(group.logprob[i], group.advantage[i]);
      uint64_t key;
      if (!keys.key_of(tokens, group.first + i, covariance, key)) continue;
      num_other_than_zero += covariance != 0 ? 1 : 0;
      const uint64_t id_key = search.digit >= kRadixDigits && key == search.key
                                  ? radix_key_of_id(tokens.id_T[group.first + i])
                                  : 0;
      if (search.agrees(key, id_key)) atomicAdd(&bins[search.bin(key, id_key)], 1u);
    }
  });
  num_other_than_zero = __reduce_add_sync(0xffffffffu, num_other_than_zero);
  if (search.digit == 0 && threadIdx.x % kWarp == 0 && num_other_than_zero > 0)
    atomicAdd(&state->num_other_than_zero, static_cast<unsigned long long>(num_other_than_zero));
  __syncthreads();
  for (int bin = threadIdx.x; bin < kRadixBins; bin += kThreads)
    if (bins[bin] > 0)
      atomicAdd(&state->histogram[bin], static_cast<unsigned long long>(bins[bin]));
}

// One block. Thread 0 has the highest bins; the one among whose bins the wanted number is goes on.
__global__ void __launch_bounds__(kThreads)
    descend_kernel(bool none_if_all_zero, CovarianceState* state) {
  constexpr int kOwn = kRadixBins / kThreads;
  __shared__ int64_t counts[kRadixBins], before[kThreads];
  const RadixSearch search = state->search;
  if (search.done()) return;
  for (int bin = threadIdx.x; bin < kRadixBins; bin += kThreads) {
    counts[bin] = static_cast<int64_t>(state->histogram[bin]);
    state->histogram[bin] = 0;
  }
  const bool all_zero = none_if_all_zero && search.digit == 0 && state->num_other_than_zero == 0;
  const bool none = search.wanted == 0 || all_zero;
  __syncthreads();
  if (threadIdx.x == 0) state->num_other_than_zero = 0;
  const int thread = threadIdx.x, highest = kRadixBins - 1 - thread * kOwn;
  int64_t own = 0;
  for (int i = 0; i < kOwn; ++i) own += counts[highest - i];
  before[thread] = own;
  for (int offset = 1; offset < kThreads; offset *= 2) {
    __syncthreads();
    const int64_t left = thread >= offset ? before[thread - offset] : 0;
    __syncthreads();
    before[thread] += left;
  }
  __syncthreads();
  const int64_t total = before[kThreads - 1], above = before[thread] - own;
  if (thread == 0 && search.digit == 0) state->num_candidates = all_zero ? 0 : total;
  if (none || total < search.wanted) {
    if (thread == 0) state->search.end(/*all=*/!none);
    return;
  }
  int64_t wanted = search.wanted - above;
  if (wanted <= 0 || wanted > own) return;
  int bin = highest;
  for (; counts[bin] < wanted; --bin) wanted -= counts[bin];
  state->search.descend(bin, wanted, counts[bin]);
}

template <class Keys, bool kAligned>
__global__ void __launch_bounds__(kThreads)
    mark_kernel(const CovarianceTokens tokens, const Keys keys, const CovarianceState* state,
                bool* selected_T) {
  const RadixSearch search = state->search;
  const Means means(state);
  for_groups<4, kAligned>(tokens, [&](const Group<4>& group) {
    Bools<4> selected;
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      uint64_t key;
      selected.values[i] =
          group.inside[i] &&
          keys.key_of(tokens, group.first + i,
                      means.covariance(group.logprob[i], group.advantage[i]), key) &&
          search.selects(key,
                         key == search.key ? radix_key_of_id(tokens.id_T[group.first + i]) : 0);
    }
    if (kAligned && group.count == 4) {
      *reinterpret_cast<Bools<4>*>(selected_T + group.first) = selected;
    } else {
      for (int i = 0; i < group.count; ++i) selected_T[group.first + i] = selected.values[i];
    }
  });
}

__global__ void value_kernel(const CovarianceState* state, double* value) {
  *value = value_of_radix_key(state->search.key);
}

// --- Launches. ---

bool is_aligned(const void* pointer, uintptr_t size) {
  return reinterpret_cast<uintptr_t>(pointer) % size == 0;
}
bool is_aligned(const CovarianceTokens& tokens) {
  return is_aligned(tokens.logprob_T, 16) && is_aligned(tokens.advantage_T, 16) &&
         is_aligned(tokens.mask_T, 4);
}

// False for sizes that a grid, or the sums, cannot have.
bool has_grid(const CovarianceTokens& tokens, unsigned& blocks) {
  blocks = blocks_for(tokens.num_tokens, kTokensPerBlock);
  return tokens.num_tokens >= 0 && tokens.num_tokens <= kMostMomentTokens;
}

// The totals' addresses alone: they are in device memory.
cudaError_t reduce_totals(MomentTotals& totals, cudaStream_t stream, const DeviceReduce& reduce) {
  constexpr int64_t kSums = offsetof(MomentTotals, logprob_extremes) / sizeof(unsigned long long),
                    kExtremes = 2 * sizeof(ColumnExtremes) / sizeof(int32_t);
  if (!reduce.sum) return cudaSuccess;
  const cudaError_t error = reduce.sum(&totals.count, kSums, stream);
  if (error != cudaSuccess) return error;
  return reduce.max(&totals.logprob_extremes.largest, kExtremes, stream);
}

struct Search {
  int64_t number = 0;
  bool whole_key = false;
  bool none_if_all_zero = false;
};

template <class Keys, bool kAligned>
cudaError_t run(const Search& search, const CovarianceTokens& tokens, const Keys& keys,
                CovarianceState* state, cudaStream_t stream, const DeviceReduce& reduce) {
  const unsigned blocks = blocks_for(tokens.num_tokens, kTokensPerBlock);
  const int num_digits = search.whole_key ? kRadixDigits : 2 * kRadixDigits;
  begin_search<<<1, kThreads, 0, stream>>>(search.number, search.whole_key, state);
  for (int digit = 0; digit < num_digits; ++digit) {
    if (blocks > 0)
      histogram_kernel<Keys, kAligned><<<blocks, kThreads, 0, stream>>>(tokens, keys, state);
    if (reduce.sum) {
      static_assert(offsetof(CovarianceState, num_other_than_zero) ==
                    offsetof(CovarianceState, histogram) + sizeof(CovarianceState::histogram));
      const cudaError_t error = reduce.sum(state->histogram, kRadixBins + 1, stream);
      if (error != cudaSuccess) return error;
    }
    descend_kernel<<<1, kThreads, 0, stream>>>(search.none_if_all_zero, state);
  }
  return cudaGetLastError();
}

template <class Keys, bool kAligned>
cudaError_t select(const Search& search, const CovarianceTokens& tokens, const Keys& keys,
                   CovarianceState* state, bool* selected_T, cudaStream_t stream,
                   const DeviceReduce& reduce) {
  const cudaError_t error = run<Keys, kAligned>(search, tokens, keys, state, stream, reduce);
  if (error != cudaSuccess || tokens.num_tokens == 0) return error;
  mark_kernel<Keys, kAligned>
      <<<blocks_for(tokens.num_tokens, kTokensPerBlock), kThreads, 0, stream>>>(tokens, keys, state,
                                                                                selected_T);
  return cudaGetLastError();
}

template <class Keys>
cudaError_t select(const Search& search, const CovarianceTokens& tokens, const Keys& keys,
                   CovarianceState* state, bool* selected_T, cudaStream_t stream,
                   const DeviceReduce& reduce) {
  unsigned blocks;
  if (!has_grid(tokens, blocks) || search.number < 0) return cudaErrorInvalidValue;
  const auto with =
      is_aligned(tokens) && is_aligned(selected_T, 4) ? select<Keys, true> : select<Keys, false>;
  return with(search, tokens, keys, state, selected_T, stream, reduce);
}

}  // namespace

cudaError_t covariance_moments_cuda(const CovarianceTokens& tokens, CovarianceState* state,
                                    cudaStream_t stream, const DeviceReduce& reduce) {
  unsigned blocks;
  if (!has_grid(tokens, blocks)) return cudaErrorInvalidValue;
  begin_moments<<<1, 1, 0, stream>>>(state);
  const auto kernel = is_aligned(tokens) ? moments_kernel<true> : moments_kernel<false>;
  for (int pass = 0; pass < 2; ++pass) {
    if (blocks > 0) kernel<<<blocks, kThreads, 0, stream>>>(tokens, state);
    const cudaError_t error = reduce_totals(state->totals, stream, reduce);
    if (error != cudaSuccess) return error;
    finish_moments<<<1, 1, 0, stream>>>(state);
  }
  return cudaGetLastError();
}

cudaError_t covariance_cuda(const CovarianceTokens& tokens, const CovarianceState* state,
                            double* covariance_T, cudaStream_t stream) {
  unsigned blocks;
  if (!has_grid(tokens, blocks)) return cudaErrorInvalidValue;
  if (blocks == 0) return cudaSuccess;
  const auto kernel = is_aligned(tokens) && is_aligned(covariance_T, 16) ? covariance_kernel<true>
                                                                         : covariance_kernel<false>;
  kernel<<<blocks, kThreads, 0, stream>>>(tokens, state, covariance_T);
  return cudaGetLastError();
}

cudaError_t select_largest_covariance_cuda(const CovarianceTokens& tokens,
                                           const LargestCovariance& wanted, CovarianceState* state,
                                           bool* selected_T, cudaStream_t stream,
                                           const DeviceReduce& reduce) {
  return select({wanted.number, /*whole_key=*/false, wanted.none_if_all_zero}, tokens,
                LargestKeys{}, state, selected_T, stream, reduce);
}

cudaError_t select_in_covariance_band_cuda(const CovarianceTokens& tokens,
                                           const CovarianceBandChoice& wanted,
                                           CovarianceState* state, bool* selected_T,
                                           cudaStream_t stream, const DeviceReduce& reduce) {
  return select({wanted.number}, tokens, BandKeys{wanted}, state, selected_T, stream, reduce);
}

cudaError_t covariance_order_statistic_cuda(const CovarianceTokens& tokens, int64_t above,
                                            CovarianceState* state, double* value,
                                            cudaStream_t stream, const DeviceReduce& reduce) {
  unsigned blocks;
  if (!has_grid(tokens, blocks) || above < 0) return cudaErrorInvalidValue;
  const auto with = is_aligned(tokens) ? run<LargestKeys, true> : run<LargestKeys, false>;
  const cudaError_t error =
      with({above + 1, /*whole_key=*/true}, tokens, LargestKeys{}, state, stream, reduce);
  if (error != cudaSuccess) return error;
  value_kernel<<<1, 1, 0, stream>>>(state, value);
  return cudaGetLastError();
}

}  // namespace covrl::kernels
