#include "kernels/rope_cuda.h"

#include "kernels/cuda/device.cuh"

namespace covrl::kernels {
namespace {

using namespace cuda;

constexpr int kThreads = 256;
constexpr int64_t kHeadsAThread = 8;  // heads for which a thread reads its angles once

// kPairs neighbours of one half of a head. 4: as many angles as make 16 bytes, so that neighbouring
// threads read neighbouring memory; 1: what alignment does not allow to be read together.
template <class T, int kPairs>
struct alignas(kPairs * sizeof(T)) Pairs {
  T values[kPairs];
};

template <class T, int kPairs>
__device__ Pairs<T, kPairs> load_pairs(const T* from) {
  return *reinterpret_cast<const Pairs<T, kPairs>*>(from);
}
template <class T, int kPairs>
__device__ void store_pairs(T* to, const Pairs<T, kPairs>& pairs) {
  *reinterpret_cast<Pairs<T, kPairs>*>(to) = pairs;
}

// What a thread does: kPairs pairs of up to kHeadsAThread heads of one token.
struct Item {
  int64_t token, first_head, last_head;
  int place;
};

template <int kPairs, class Heads>
__device__ bool find_item(const Heads& heads, Item& item) {
  const int64_t items_a_head = heads.head_size / 2 / kPairs;
  const int64_t groups = (heads.num_heads + kHeadsAThread - 1) / kHeadsAThread;
  const int64_t index = static_cast<int64_t>(blockIdx.x) * kThreads + threadIdx.x;
  item.token = index / items_a_head / groups;
  item.first_head = index / items_a_head % groups * kHeadsAThread;
  item.last_head = min(item.first_head + kHeadsAThread, heads.num_heads);
  item.place = static_cast<int>(index % items_a_head) * kPairs;
  return item.token < heads.num_tokens;
}

// Explicit roundings: the compiler would fuse products and sums otherwise, and part from the CPU's
// bits.
template <class T, int kPairs>
struct Rotation {
  Pairs<float, kPairs> cosine, sine;

  __device__ Rotation(const RopeAngles& angles, const Item& item, int half) {
    const int64_t table = angles.positions_T[item.token] * half + item.place;
    cosine = load_pairs<float, kPairs>(angles.cos_Pd + table);
    sine = load_pairs<float, kPairs>(angles.sin_Pd + table);
  }
  __device__ void operator()(const T* x, T* y, int half, float direction) const {
    Pairs<T, kPairs> low = load_pairs<T, kPairs>(x), high = load_pairs<T, kPairs>(x + half);
#pragma unroll
    for (int i = 0; i < kPairs; ++i) {
      const float a = as_float(low.values[i]), b = as_float(high.values[i]);
      const float turn = direction * sine.values[i];
      low.values[i] = from_float<T>(__fsub_rn(__fmul_rn(a, cosine.values[i]), __fmul_rn(b, turn)));
      high.values[i] = from_float<T>(__fadd_rn(__fmul_rn(b, cosine.values[i]), __fmul_rn(a, turn)));
    }
    store_pairs<T, kPairs>(y, low);
    store_pairs<T, kPairs>(y + half, high);
  }
};

template <class T, int kPairs>
__global__ void __launch_bounds__(kThreads) rope_kernel(const RopeHeads heads) {
  Item item;
  if (!find_item<kPairs>(heads, item)) return;
  const int half = static_cast<int>(heads.head_size / 2);
  const Rotation<T, kPairs> rotate(heads.angles, item, half);
#pragma unroll 2
  for (int64_t head = item.first_head; head < item.last_head; ++head) {
    const int64_t offset = (item.token * heads.num_heads + head) * heads.head_size + item.place;
    rotate(static_cast<const T*>(heads.x_THd) + offset, static_cast<T*>(heads.y_THd) + offset, half,
           heads.direction);
  }
}

template <class T, int kPairs>
__global__ void __launch_bounds__(kThreads) rope_into_cache_kernel(const RopeIntoCache heads) {
  Item item;
  if (!find_item<kPairs>(heads, item)) return;
  const int half = static_cast<int>(heads.head_size / 2);
  const Rotation<T, kPairs> rotate(heads.angles, item, half);
  const int64_t slot = heads.slots_T[item.token];
#pragma unroll 2
  for (int64_t head = item.first_head; head < item.last_head; ++head) {
    const int64_t from = (item.token * heads.num_heads + head) * heads.head_size + item.place;
    const int64_t to = (slot * heads.num_heads + head) * heads.head_size + item.place;
    rotate(static_cast<const T*>(heads.k_THd) + from, static_cast<T*>(heads.cache_k) + to, half,
           1.0f);
    const T* v = static_cast<const T*>(heads.v_THd) + from;
    T* cache_v = static_cast<T*>(heads.cache_v) + to;
    store_pairs<T, kPairs>(cache_v, load_pairs<T, kPairs>(v));
    store_pairs<T, kPairs>(cache_v + half, load_pairs<T, kPairs>(v + half));
  }
}

template <class T>
bool pairs_are_aligned(const RopeAngles& angles, std::initializer_list<const void*> heads,
                       int64_t half) {
  bool aligned = half % 4 == 0 && rows_are_aligned(angles.cos_Pd, half) &&
                 rows_are_aligned(angles.sin_Pd, half);
  for (const void* pointer : heads)
    aligned = aligned && reinterpret_cast<uintptr_t>(pointer) % (4 * sizeof(T)) == 0;
  return aligned;
}

template <class Heads>
unsigned blocks_of(const Heads& heads, int pairs) {
  const int64_t groups = (heads.num_heads + kHeadsAThread - 1) / kHeadsAThread;
  return blocks_for(heads.num_tokens * groups * (heads.head_size / 2 / pairs), kThreads);
}

template <class T>
cudaError_t launch(const RopeHeads& heads, cudaStream_t stream) {
  const bool aligned =
      pairs_are_aligned<T>(heads.angles, {heads.x_THd, heads.y_THd}, heads.head_size / 2);
  const unsigned blocks = blocks_of(heads, aligned ? 4 : 1);
  if (blocks == 0) return cudaErrorInvalidValue;
  const auto kernel = aligned ? rope_kernel<T, 4> : rope_kernel<T, 1>;
  kernel<<<blocks, kThreads, 0, stream>>>(heads);
  return cudaGetLastError();
}

template <class T>
cudaError_t launch(const RopeIntoCache& heads, cudaStream_t stream) {
  const bool aligned = pairs_are_aligned<T>(
      heads.angles, {heads.k_THd, heads.v_THd, heads.cache_k, heads.cache_v}, heads.head_size / 2);
  const unsigned blocks = blocks_of(heads, aligned ? 4 : 1);
  if (blocks == 0) return cudaErrorInvalidValue;
  const auto kernel = aligned ? rope_into_cache_kernel<T, 4> : rope_into_cache_kernel<T, 1>;
  kernel<<<blocks, kThreads, 0, stream>>>(heads);
  return cudaGetLastError();
}

template <class Heads>
cudaError_t launch_all(const Heads& heads, cudaStream_t stream) {
  if (heads.num_tokens < 0 || heads.num_heads <= 0 || heads.head_size <= 0 ||
      heads.head_size % 2 != 0)
    return cudaErrorInvalidValue;
  if (heads.num_tokens == 0) return cudaSuccess;
  return with_type(heads.type, [&](auto type) { return launch<decltype(type)>(heads, stream); });
}

}  // namespace

cudaError_t rope_cuda(const RopeHeads& heads, cudaStream_t stream) {
  return launch_all(heads, stream);
}

cudaError_t rope_into_cache_cuda(const RopeIntoCache& heads, cudaStream_t stream) {
  return launch_all(heads, stream);
}

}  // namespace covrl::kernels
