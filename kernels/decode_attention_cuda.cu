#include "kernels/decode_attention_cuda.h"

#include "kernels/cuda/device.cuh"

namespace covrl::kernels {
namespace {

using namespace cuda;

constexpr int kThreads = 128;
constexpr int kWarps = kThreads / kWarp;
constexpr int kSplit = static_cast<int>(kKeysPerSplit);
constexpr int kMaxSize = static_cast<int>(kMaxDecodeHeadSize);
constexpr int kHeads = 8;       // query heads of a block, which share the key head
constexpr int kColumns = 8;     // columns of a head that a lane holds at most
constexpr int kBlocksAnSm = 3;  // leaves registers for the kHeads x kColumns of a lane
constexpr unsigned kAllLanes = 0xffffffffu;

// Who does what: a group of `lanes` lanes reads a key or a value, each lane kSteps pieces of kWidth
// columns; the groups of a block take the keys in turn.
template <class T, bool kAligned>
struct Lanes {
  static constexpr int kWidth = kAligned ? kPacket<T> : 1;
  static constexpr int kSteps = kColumns / kWidth;
  struct Values {
    T at[kColumns];
  };
  int lanes;   // a power of two
  int lane;    // in its group
  int group;   // in its warp
  int groups;  // of a warp

  __device__ explicit Lanes(int lanes)
      : lanes(lanes),
        lane(threadIdx.x % lanes),
        group(threadIdx.x % kWarp / lanes),
        groups(kWarp / lanes) {}

  __device__ int column(int step) const { return (step * lanes + lane) * kWidth; }
  __device__ int column_at(int place) const { return column(place / kWidth) + place % kWidth; }

  // This lane's columns of a row; 0 past its end.
  __device__ Values load(const T* row, int size) const {
    Values values;
#pragma unroll
    for (int step = 0; step < kSteps; ++step) {
      if constexpr (kAligned) {
        Packet<T> packet = {};
        if (column(step) < size) packet = load_packet<T, true>(row + column(step));
#pragma unroll
        for (int i = 0; i < kWidth; ++i) values.at[step * kWidth + i] = packet.values[i];
      } else {
        values.at[step] = column(step) < size ? row[column(step)] : from_float<T>(0);
      }
    }
    return values;
  }
};

// The keys first .. first+num_keys-1 of a sequence, for up to kHeads query heads.
struct Work {
  int64_t sequence;
  int64_t first_head;  // of Q
  int64_t key_head;
  int64_t split;
  int num_heads;
  int num_keys;  // 0: nothing to do
};

struct Shared {
  float q[kHeads][kMaxSize];  // later the weighted sums of values
  float weights[kHeads][kSplit];
  int64_t offsets[kSplit];  // of the keys in the cache
  float max[kHeads], sum[kHeads];
};

__host__ __device__ int64_t num_splits(const DecodeAttentionForward& s) {
  return (s.max_pages * s.page_size + kSplit - 1) / kSplit;
}

__host__ __device__ int64_t blocks_a_key_head(const DecodeAttentionForward& s) {
  return (s.query_heads / s.key_heads + kHeads - 1) / kHeads;
}

__device__ Work work_of(const DecodeAttentionForward& s, int64_t block) {
  const int64_t splits = num_splits(s), parts = blocks_a_key_head(s);
  const int64_t group = s.query_heads / s.key_heads;
  Work work;
  work.split = block % splits;
  const int64_t part = block / splits % parts;
  work.key_head = block / (splits * parts) % s.key_heads;
  work.sequence = block / (splits * parts * s.key_heads);
  work.first_head = work.key_head * group + part * kHeads;
  work.num_heads = static_cast<int>(min(int64_t{kHeads}, group - part * kHeads));
  const int64_t keys = s.lengths_B[work.sequence] - work.split * kSplit;
  work.num_keys = static_cast<int>(max(int64_t{0}, min(int64_t{kSplit}, keys)));
  return work;
}

template <class T>
__device__ void load_queries(const DecodeAttentionForward& s, const Work& work, Shared& shared) {
  const int size = static_cast<int>(s.head_size);
  const T* q = static_cast<const T*>(s.q_BQd) +
               (work.sequence * s.query_heads + work.first_head) * s.head_size;
  for (int i = threadIdx.x; i < work.num_heads * size; i += kThreads)
    shared.q[i / size][i % size] = as_float(q[i]);
}

__device__ void find_keys(const DecodeAttentionForward& s, const Work& work, Shared& shared) {
  const int32_t* pages = s.block_table_BM + work.sequence * s.max_pages;
  for (int i = threadIdx.x; i < work.num_keys; i += kThreads) {
    const int64_t key = work.split * kSplit + i;
    const int64_t slot = pages[key / s.page_size] * s.page_size + key % s.page_size;
    shared.offsets[i] = (slot * s.key_heads + work.key_head) * s.head_size;
  }
}

// visit(key, values) for the keys of this lane's group, read ahead by one; by whole warps, so that
// the last key may be past the end.
template <class T, bool kAligned, class Visit>
__device__ void for_each_key(const void* cache, const DecodeAttentionForward& s, const Work& work,
                             const Lanes<T, kAligned>& own, const Shared& shared,
                             const Visit& visit) {
  using Values = typename Lanes<T, kAligned>::Values;
  const T* rows = static_cast<const T*>(cache);
  const int size = static_cast<int>(s.head_size), step = kWarps * own.groups;
  const auto load = [&](int key) {
    return key < work.num_keys ? own.load(rows + shared.offsets[key], size) : Values{};
  };
  int base = threadIdx.x / kWarp * own.groups;
  Values next = load(base + own.group);
  for (; base < work.num_keys; base += step) {
    const Values values = next;
    next = load(base + step + own.group);
    visit(base + own.group, values);
  }
}

// shared.weights = scale q k. A lane holds its columns of the queries in registers.
template <class T, bool kAligned>
__device__ void score(const DecodeAttentionForward& s, const Work& work,
                      const Lanes<T, kAligned>& own, Shared& shared) {
  using Values = typename Lanes<T, kAligned>::Values;
  const int size = static_cast<int>(s.head_size);
  float q[kHeads][kColumns];
#pragma unroll
  for (int head = 0; head < kHeads; ++head)
#pragma unroll
    for (int place = 0; place < kColumns; ++place)
      q[head][place] = head < work.num_heads && own.column_at(place) < size
                           ? shared.q[head][own.column_at(place)]
                           : 0.0f;
  for_each_key(s.k_PSHd, s, work, own, shared, [&](int key, const Values& k) {
#pragma unroll
    for (int head = 0; head < kHeads; ++head) {
      if (head >= work.num_heads) break;
      float product = 0;
#pragma unroll
      for (int place = 0; place < kColumns; ++place)
        product += q[head][place] * as_float(k.at[place]);
      for (int offset = own.lanes / 2; offset > 0; offset /= 2)
        product += __shfl_xor_sync(kAllLanes, product, offset);
      if (own.lane == 0 && key < work.num_keys) shared.weights[head][key] = product * s.scale;
    }
  });
}

__device__ float warp_max(float value) {
#pragma unroll
  for (int offset = kWarp / 2; offset > 0; offset /= 2)
    value = fmaxf(value, __shfl_xor_sync(kAllLanes, value, offset));
  return value;
}

// Scores become exp(score - max); a warp does a head.
__device__ void exponentiate(const Work& work, Shared& shared) {
  const int lane = threadIdx.x % kWarp;
  for (int head = threadIdx.x / kWarp; head < work.num_heads; head += kWarps) {
    float max = -INFINITY, sum = 0;
    for (int key = lane; key < work.num_keys; key += kWarp)
      max = fmaxf(max, shared.weights[head][key]);
    max = warp_max(max);
    for (int key = lane; key < work.num_keys; key += kWarp) {
      const float weight = expf(shared.weights[head][key] - max);
      shared.weights[head][key] = weight;
      sum += weight;
    }
    sum = warp_sum(sum);
    if (lane == 0) {
      shared.max[head] = max;
      shared.sum[head] = sum;
    }
  }
}

// shared.q = the weighted sums of values: of a group, then of its warp, then of the block.
template <class T, bool kAligned>
__device__ void weigh_values(const DecodeAttentionForward& s, const Work& work,
                             const Lanes<T, kAligned>& own, Shared& shared) {
  using Values = typename Lanes<T, kAligned>::Values;
  const int size = static_cast<int>(s.head_size), warp = threadIdx.x / kWarp;
  float sums[kHeads][kColumns] = {};
  for_each_key(s.v_PSHd, s, work, own, shared, [&](int key, const Values& v) {
    if (key >= work.num_keys) return;
#pragma unroll
    for (int head = 0; head < kHeads; ++head) {
      if (head >= work.num_heads) break;
      const float weight = shared.weights[head][key];
#pragma unroll
      for (int place = 0; place < kColumns; ++place)
        sums[head][place] += weight * as_float(v.at[place]);
    }
  });
  for (int turn = 0; turn < kWarps; ++turn) {
#pragma unroll
    for (int head = 0; head < kHeads; ++head) {
      if (head >= work.num_heads || warp != turn) break;
#pragma unroll
      for (int place = 0; place < kColumns; ++place) {
        float sum = sums[head][place];
        for (int offset = own.lanes; offset < kWarp; offset *= 2)
          sum += __shfl_xor_sync(kAllLanes, sum, offset);
        const int column = own.column_at(place);
        if (own.group == 0 && column < size)
          shared.q[head][column] = turn == 0 ? sum : shared.q[head][column] + sum;
      }
    }
    __syncthreads();
  }
}

// A split's results of a head: the weighted sum [d], the largest score, the sum of weights.
__host__ __device__ int64_t partial_stride(const DecodeAttentionForward& s) {
  return s.head_size + 2;
}

template <class T>
__device__ void write(const DecodeAttentionForward& s, const Work& work, const Shared& shared) {
  const int size = static_cast<int>(s.head_size);
  const int64_t head = work.sequence * s.query_heads + work.first_head;
  if (s.lengths_B[work.sequence] <= kSplit) {
    T* output = static_cast<T*>(s.output_BQd) + head * size;
    for (int i = threadIdx.x; i < work.num_heads * size; i += kThreads)
      output[i] = from_float<T>(shared.q[i / size][i % size] / shared.sum[i / size]);
    return;
  }
  for (int own = 0; own < work.num_heads; ++own) {
    float* partial = s.partial + ((head + own) * num_splits(s) + work.split) * partial_stride(s);
    for (int i = threadIdx.x; i < size; i += kThreads) partial[i] = shared.q[own][i];
    if (threadIdx.x == 0) {
      partial[size] = shared.max[own];
      partial[size + 1] = shared.sum[own];
    }
  }
}

template <class T, bool kAligned>
__global__ void __launch_bounds__(kThreads, kBlocksAnSm)
    split_kernel(const DecodeAttentionForward s, int lanes) {
  __shared__ Shared shared;
  const Work work = work_of(s, blockIdx.x);
  if (work.num_keys == 0) return;
  const Lanes<T, kAligned> own(lanes);
  load_queries<T>(s, work, shared);
  find_keys(s, work, shared);
  __syncthreads();
  score(s, work, own, shared);
  __syncthreads();
  exponentiate(work, shared);
  __syncthreads();
  weigh_values(s, work, own, shared);
  write<T>(s, work, shared);
}

// A block a query head of a sequence of several splits.
template <class T>
__global__ void __launch_bounds__(kThreads) combine_kernel(const DecodeAttentionForward s) {
  const int64_t head = blockIdx.x, length = s.lengths_B[head / s.query_heads];
  if (length <= kSplit) return;
  const int splits = static_cast<int>((length + kSplit - 1) / kSplit);
  const int64_t size = s.head_size, stride = partial_stride(s);
  const float* partial = s.partial + head * num_splits(s) * stride;
  float max = -INFINITY, sum = 0;
  for (int split = 0; split < splits; ++split) max = fmaxf(max, partial[split * stride + size]);
  for (int split = 0; split < splits; ++split)
    sum += partial[split * stride + size + 1] * expf(partial[split * stride + size] - max);
  for (int64_t column = threadIdx.x; column < size; column += kThreads) {
    float value = 0;
    for (int split = 0; split < splits; ++split)
      value += partial[split * stride + column] * expf(partial[split * stride + size] - max);
    static_cast<T*>(s.output_BQd)[head * size + column] = from_float<T>(value / sum);
  }
}

// The smallest power of two of lanes that reads a head at once, at most a warp.
int lanes_for(int64_t head_size, int width) {
  int lanes = 1;
  while (lanes < kWarp && lanes * width < head_size) lanes *= 2;
  return lanes;
}

template <class T, bool kAligned>
cudaError_t launch_splits(const DecodeAttentionForward& s, cudaStream_t stream) {
  const int64_t count = s.batch * s.key_heads * blocks_a_key_head(s) * num_splits(s);
  const unsigned blocks = blocks_for(count, 1);
  if (blocks == 0) return cudaErrorInvalidValue;
  const int lanes = lanes_for(s.head_size, Lanes<T, kAligned>::kWidth);
  split_kernel<T, kAligned><<<blocks, kThreads, 0, stream>>>(s, lanes);
  return cudaGetLastError();
}

template <class T>
cudaError_t launch(const DecodeAttentionForward& s, cudaStream_t stream) {
  const bool aligned = rows_are_aligned(static_cast<const T*>(s.k_PSHd), s.head_size) &&
                       rows_are_aligned(static_cast<const T*>(s.v_PSHd), s.head_size);
  const cudaError_t status =
      aligned ? launch_splits<T, true>(s, stream) : launch_splits<T, false>(s, stream);
  if (status != cudaSuccess || num_splits(s) == 1) return status;
  const unsigned blocks = blocks_for(s.batch * s.query_heads, 1);
  combine_kernel<T><<<blocks, kThreads, 0, stream>>>(s);
  return cudaGetLastError();
}

bool is_valid(const DecodeAttentionForward& s) {
  return s.batch >= 0 && s.max_pages > 0 && s.page_size > 0 && s.key_heads > 0 &&
         s.query_heads > 0 && s.query_heads % s.key_heads == 0 && s.head_size > 0 &&
         s.head_size <= kMaxSize && s.max_pages * s.page_size <= INT32_MAX &&
         (s.partial != nullptr || num_splits(s) == 1);
}

}  // namespace

int64_t decode_attention_partial(const DecodeAttentionForward& sequences) {
  const int64_t splits = num_splits(sequences);
  if (splits <= 1) return 0;
  return sequences.batch * sequences.query_heads * splits * partial_stride(sequences);
}

cudaError_t decode_attention_cuda(const DecodeAttentionForward& sequences, cudaStream_t stream) {
  if (sequences.batch == 0) return cudaSuccess;
  if (!is_valid(sequences)) return cudaErrorInvalidValue;
  return with_type(sequences.type,
                   [&](auto type) { return launch<decltype(type)>(sequences, stream); });
}

}  // namespace covrl::kernels
