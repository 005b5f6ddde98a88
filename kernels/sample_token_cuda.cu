#include "kernels/sample_token_cuda.h"

#include <cmath>

#include "kernels/cuda/philox.cuh"
#include "kernels/cuda/softmax_row.cuh"

// The weight of an id is exp((z - max) / temperature), at most 1, in fixed point: sums of them are
// exact in any order. Logits are compared by keys, integers of the same order; the k-th largest,
// and the one that reaches top_p, are found digit by digit of the key, from a histogram of the ids
// that share the digits before.
namespace covrl::kernels {
namespace {

using namespace cuda;

using Mass = unsigned long long;  // a weight, or a sum of weights, in units of 2^-44

constexpr float kMassScale = 0x1p44f;
constexpr int64_t kMaxIds = 1 << 19;  // their sum is below 2^64
constexpr int kWarps = kRowThreads / kWarp;
constexpr int kDigitBits = 11;
constexpr int kBins = 1 << kDigitBits;
constexpr unsigned kAllLanes = 0xffffffffu;

// The bits of a key: those that a 16-bit type leaves 0 in a float are not needed.
template <class T>
constexpr int kKeyBits = sizeof(T) == 2 ? 2 * kDigitBits : 32;

template <class T>
__device__ uint32_t key_of(float logit) {
  const uint32_t bits = __float_as_uint(logit + 0.0f);  // -0 and 0 are equal
  return (bits >> 31 ? ~bits : bits | 0x80000000u) >> (32 - kKeyBits<T>);
}

template <class T>
__device__ float logit_of(uint32_t key) {
  constexpr int kUnused = 32 - kKeyBits<T>;
  const uint32_t bits = key << kUnused;
  return __uint_as_float(bits >> 31 ? bits & 0x7fffffffu : ~bits & (0xffffffffu << kUnused));
}

template <class Value>
__device__ Value warp_inclusive_scan(Value value) {
  const int lane = threadIdx.x % kWarp;
#pragma unroll
  for (int offset = 1; offset < kWarp; offset *= 2) {
    const Value lower = __shfl_up_sync(kAllLanes, value, offset);
    if (lane >= offset) value += lower;
  }
  return value;
}

template <class Value>
__device__ Value warp_total(Value value) {
  return __shfl_sync(kAllLanes, warp_inclusive_scan(value), kWarp - 1);
}

// A row of logits whose statistics are known.
template <class Storage, bool kAligned>
struct Row {
  using T = Storage;
  const T* logits;
  int num_ids;
  RowState state;
  float inverse_temperature;

  __device__ Mass mass(float logit) const {
    return __float2ull_rn(expf((logit - state.max) * inverse_temperature) * kMassScale);
  }

  // The logits of ids id, id + 1, ..; -inf, which has no weight, from `end` on.
  __device__ Packet<T> packet(int id, int end) const {
    if (id + kPacket<T> <= end) return load_packet<T, kAligned>(logits + id);
    Packet<T> packet;
#pragma unroll
    for (int i = 0; i < kPacket<T>; ++i)
      packet.values[i] = id + i < end ? logits[id + i] : from_float<T>(-INFINITY);
    return packet;
  }

  // visit(logit) for the ids that fall to thread `index` of `count`, of begin .. end-1.
  template <class Visit>
  __device__ void visit(int begin, int end, int index, int count, const Visit& visit) const {
    for (int id = begin + index * kPacket<T>; id < end; id += count * kPacket<T>) {
      const Packet<T> logits_here = packet(id, end);
#pragma unroll
      for (int i = 0; i < kPacket<T>; ++i) visit(as_float(logits_here.values[i]));
    }
  }
};

// The key at which the amounts of the ids, added from the largest key down, reach a goal.
struct Reached {
  uint32_t key;
  Mass above;  // the sum of the larger keys
  Mass goal;
};

// The bin at which the sum from the top, on top of `above`, reaches the goal. By one warp.
template <class Bin>
__device__ Reached walk_down(const Bin* bins, Mass above, Mass goal) {
  const int lane = threadIdx.x % kWarp;
  for (int top = kBins - 1; top > 0; top -= kWarp) {
    const Mass own = bins[top - lane], inclusive = warp_inclusive_scan(own);
    const unsigned reached = __ballot_sync(kAllLanes, above + inclusive >= goal);
    if (reached != 0) {
      const int first = __ffs(reached) - 1;
      return {static_cast<uint32_t>(top - first),
              above + __shfl_sync(kAllLanes, inclusive - own, first), goal};
    }
    above += __shfl_sync(kAllLanes, inclusive, kWarp - 1);
  }
  return {0, above, goal};
}

template <class Bin>
__device__ Mass sum_of_bins(const Bin* bins) {
  Mass sum = 0;
  for (int bin = threadIdx.x % kWarp; bin < kBins; bin += kWarp) sum += bins[bin];
  return warp_total(sum);
}

// `amount(key, logit)` of an id is an unsigned integer; `goal(total)`, at most the total, is known
// once the first histogram is. `memory` holds kBins of Mass.
template <class SomeRow, class Amount, class Goal>
__device__ Reached radix_select(const SomeRow& row, Mass* memory, const Amount& amount,
                                const Goal& goal) {
  using T = typename SomeRow::T;
  using Bin = decltype(amount(0u, 0.0f));
  __shared__ Reached shared;
  Bin* bins = reinterpret_cast<Bin*>(memory);
  Reached result = {0, 0, 0};
  uint32_t known = 0;  // the bits of result.key that are
  for (int end = kKeyBits<T>; end > 0;) {
    const int shift = max(end - kDigitBits, 0);
    const uint32_t digits = (1u << (end - shift)) - 1;
    for (int bin = threadIdx.x; bin < kBins; bin += kRowThreads) bins[bin] = 0;
    __syncthreads();
    row.visit(0, row.num_ids, threadIdx.x, kRowThreads, [&](float logit) {
      const uint32_t key = key_of<T>(logit);
      if ((key & known) != result.key) return;
      const Bin value = amount(key, logit);
      if (value > 0) atomicAdd(bins + (key >> shift & digits), value);
    });
    __syncthreads();
    if (threadIdx.x < kWarp) {
      if (known == 0) result.goal = goal(sum_of_bins(bins));
      const Reached digit = walk_down(bins, result.above, result.goal);
      if (threadIdx.x == 0) shared = {result.key | digit.key << shift, digit.above, digit.goal};
    }
    __syncthreads();
    result = shared;
    known |= digits << shift;
    end = shift;
  }
  return result;
}

// What the filters leave: the ids of larger keys and, of those that tie with `key`, the first
// num_ties in order of id; of both, those that weigh at least min_mass.
struct Kept {
  uint32_t key;
  unsigned num_ties;
  Mass min_mass;
  Mass tie_mass;  // of each that ties
};

struct Filter {
  float inverse_temperature;
  bool greedy;
  unsigned top_k;  // 0: off
  double top_p;    // 1: off
  Mass min_mass;

  __host__ __device__ bool filters() const { return top_k > 0 || top_p < 1 || min_mass > 1; }
};

template <class SomeRow>
__device__ Kept apply_filter(const SomeRow& row, const Filter& filter, Mass* memory) {
  using T = typename SomeRow::T;
  Kept kept = {0, 0xffffffffu, filter.min_mass, 0};
  if (filter.greedy) {
    kept = {key_of<T>(row.state.max), 1, 1, 0};
  } else {
    if (filter.top_k > 0) {
      const auto one = [](uint32_t, float) { return 1u; };
      const Mass goal = filter.top_k;
      kept.key = radix_select(row, memory, one, [goal](Mass) { return goal; }).key;
    }
    if (filter.top_p < 1) {
      const uint32_t lowest = kept.key;
      const auto mass = [&row, lowest](uint32_t key, float logit) {
        return key >= lowest ? row.mass(logit) : Mass{0};
      };
      const double top_p = filter.top_p;
      const auto goal = [top_p](Mass total) {
        const Mass reached = static_cast<Mass>(ceil(top_p * static_cast<double>(total)));
        return min(max(reached, Mass{1}), total);
      };
      const Reached last = radix_select(row, memory, mass, goal);
      const Mass tie = row.mass(logit_of<T>(last.key));
      kept.key = last.key;
      kept.num_ties = static_cast<unsigned>((last.goal - last.above + tie - 1) / tie);
    }
  }
  const Mass tie = row.mass(logit_of<T>(kept.key));
  kept.tie_mass = tie >= kept.min_mass ? tie : 0;
  return kept;
}

// The kept weight of some ids: those above the threshold, and how many tie with it.
struct Share {
  Mass sum;
  unsigned ties;

  template <class SomeRow>
  __device__ void add(const SomeRow& row, const Kept& kept, float logit) {
    const uint32_t key = key_of<typename SomeRow::T>(logit);
    if (key < kept.key) return;
    const Mass mass = row.mass(logit);
    if (mass < kept.min_mass) return;
    if (key == kept.key) {
      ++ties;
    } else {
      sum += mass;
    }
  }

  // With `ties_left` of num_ties not yet taken by the ids before.
  __device__ Mass total(const Kept& kept, unsigned ties_left) const {
    return sum + min(ties, ties_left) * kept.tie_mass;
  }
};

__device__ unsigned minus(unsigned left, unsigned taken) { return left > taken ? left - taken : 0; }

// The ids of one warp are contiguous: where the inverse transform finds its id.
struct Place {
  int warp;
  Mass target;  // the id is the first at which the warp's own sum exceeds it
  unsigned ties_left;
  Mass total;  // of the row
};

__device__ Place find_warp(const Share* shares, const Kept& kept, double uniform) {
  Place place = {0, 0, kept.num_ties, 0};
  unsigned left = kept.num_ties;
  for (int warp = 0; warp < kWarps; ++warp) {
    place.total += shares[warp].total(kept, left);
    left = minus(left, shares[warp].ties);
  }
  place.target =
      min(static_cast<Mass>(uniform * static_cast<double>(place.total)), place.total - 1);
  for (;; ++place.warp) {
    const Share& share = shares[place.warp];
    const Mass mass = share.total(kept, place.ties_left);
    if (mass > place.target) return place;
    place.target -= mass;
    place.ties_left = minus(place.ties_left, share.ties);
  }
}

// The id among a packet's at which the sum exceeds the target; by one thread.
template <class SomeRow>
__device__ int find_in_packet(const SomeRow& row, const Kept& kept, int id, int end, Mass target,
                              unsigned ties_left) {
  Share share = {0, 0};
  row.visit(id, min(id + kPacket<typename SomeRow::T>, end), 0, 1, [&](float logit) {
    share.add(row, kept, logit);
    if (share.total(kept, ties_left) <= target) ++id;
  });
  return id;
}

// The id at which the sum over begin .. end-1 exceeds the target, to one lane; -1 to the others.
template <class SomeRow>
__device__ int find_id(const SomeRow& row, const Kept& kept, int begin, int end, Place place) {
  constexpr int kSize = kPacket<typename SomeRow::T>;
  const int lane = threadIdx.x % kWarp;
  for (int id = begin + lane * kSize;; id += kWarp * kSize) {
    Share share = {0, 0};
    row.visit(min(id, end), min(id + kSize, end), 0, 1,
              [&](float logit) { share.add(row, kept, logit); });
    const unsigned ties = warp_inclusive_scan(share.ties);
    const unsigned ties_left = minus(place.ties_left, ties - share.ties);
    const Mass own = share.total(kept, ties_left), inclusive = warp_inclusive_scan(own);
    const unsigned reached = __ballot_sync(kAllLanes, inclusive > place.target);
    if (reached != 0) {
      if (lane != __ffs(reached) - 1) return -1;
      return find_in_packet(row, kept, id, end, place.target - (inclusive - own), ties_left);
    }
    place.target -= __shfl_sync(kAllLanes, inclusive, kWarp - 1);
    place.ties_left = minus(place.ties_left, __shfl_sync(kAllLanes, ties, kWarp - 1));
  }
}

__device__ double uniform_of(const SampleTokenRows& rows, int64_t row) {
  if (rows.uniforms_B != nullptr) return rows.uniforms_B[row];
  const uint32_t* counter = rows.counters_B4 + 4 * row;
  return philox_uniform(make_uint4(counter[0], counter[1], counter[2], counter[3]),
                        make_uint2(rows.key[0], rows.key[1]));
}

struct Drawn {
  int id;
  float logprob, filtered_logprob, entropy;
};

__device__ void write(const SampleTokenRows& rows, int64_t row, const Drawn& drawn) {
  rows.token_B[row] = drawn.id;
  rows.logprob_B[row] = drawn.logprob;
  rows.filtered_logprob_B[row] = drawn.filtered_logprob;
  rows.entropy_B[row] = drawn.entropy;
}

template <class SomeRow>
__device__ Drawn describe(const SomeRow& row, const Filter& filter, int id, Mass total) {
  const float logit = as_float(row.logits[id]);
  const float logprob = row_logprob(row.state, logit, row.inverse_temperature);
  const double distance = (logit - row.state.max) * row.inverse_temperature;
  const double filtered = distance - log(static_cast<double>(total) / kMassScale);
  const bool same = !filter.greedy && !filter.filters();
  return {id, logprob, same ? logprob : static_cast<float>(filtered), row_entropy(row.state)};
}

template <class T, bool kAligned>
__global__ void __launch_bounds__(kRowThreads)
    sample_kernel(const SampleTokenRows rows, const Filter filter) {
  __shared__ Mass memory[kBins];
  __shared__ Share shares[kWarps];
  __shared__ Place shared_place;
  const int num_ids = static_cast<int>(rows.num_ids);
  const T* logits = static_cast<const T*>(rows.logits_BV) + blockIdx.x * rows.num_ids;
  const RowState state = block_state<T, kAligned>(logits, num_ids, filter.inverse_temperature);
  if (!(state.sum > 0 && state.sum < INFINITY)) {
    if (threadIdx.x == 0) write(rows, blockIdx.x, {-1, NAN, NAN, NAN});
    return;
  }
  const Row<T, kAligned> row = {logits, num_ids, state, filter.inverse_temperature};
  const Kept kept = apply_filter(row, filter, memory);

  const int warp = threadIdx.x / kWarp, lane = threadIdx.x % kWarp;
  constexpr int kStep = kWarp * kPacket<T>;
  const int ids_a_warp = (num_ids + kWarps * kStep - 1) / (kWarps * kStep) * kStep;
  const int begin = min(warp * ids_a_warp, num_ids), end = min(begin + ids_a_warp, num_ids);
  Share share = {0, 0};
  row.visit(begin, end, lane, kWarp, [&](float logit) { share.add(row, kept, logit); });
  share = {warp_total(share.sum), warp_total(share.ties)};
  if (lane == 0) shares[warp] = share;
  __syncthreads();
  if (threadIdx.x == 0) shared_place = find_warp(shares, kept, uniform_of(rows, blockIdx.x));
  __syncthreads();
  const Place place = shared_place;
  if (warp != place.warp) return;
  const int id = find_id(row, kept, begin, end, place);
  if (id >= 0) write(rows, blockIdx.x, describe(row, filter, id, place.total));
}

Filter filter_of(const SampleTokenRows& rows) {
  Filter filter;
  filter.greedy = rows.temperature == 0;
  filter.inverse_temperature = static_cast<float>(filter.greedy ? 1 : 1 / rows.temperature);
  filter.top_k = rows.top_k < rows.num_ids ? static_cast<unsigned>(rows.top_k) : 0;
  filter.top_p = rows.top_p;
  filter.min_mass = static_cast<Mass>(std::ceil(rows.min_p * kMassScale));
  if (filter.min_mass < 1) filter.min_mass = 1;
  return filter;
}

template <class T>
cudaError_t launch(const SampleTokenRows& rows, cudaStream_t stream) {
  const bool aligned = rows_are_aligned(static_cast<const T*>(rows.logits_BV), rows.num_ids);
  const auto kernel = aligned ? sample_kernel<T, true> : sample_kernel<T, false>;
  kernel<<<static_cast<unsigned>(rows.num_rows), kRowThreads, 0, stream>>>(rows, filter_of(rows));
  return cudaGetLastError();
}

bool is_valid(const SampleTokenRows& rows) {
  return rows.num_rows >= 0 && rows.num_rows <= INT32_MAX && rows.num_ids > 0 &&
         rows.num_ids <= kMaxIds && rows.temperature >= 0 && rows.top_k >= 0 && rows.top_p > 0 &&
         rows.top_p <= 1 && rows.min_p >= 0 && rows.min_p <= 1;
}

}  // namespace

cudaError_t sample_token_cuda(const SampleTokenRows& rows, cudaStream_t stream) {
  if (!is_valid(rows)) return cudaErrorInvalidValue;
  if (rows.num_rows == 0) return cudaSuccess;
  return with_type(rows.type, [&](auto type) { return launch<decltype(type)>(rows, stream); });
}

}  // namespace covrl::kernels
