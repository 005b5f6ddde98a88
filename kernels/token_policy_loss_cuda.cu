#include "kernels/cuda/device.cuh"
#include "kernels/token_policy_loss_cuda.h"

namespace covrl::kernels {
namespace {

using namespace cuda;

constexpr int kThreads = 256;
constexpr int kPair = 2;  // tokens that a thread takes at once: 16 bytes of their weights
constexpr int kSteps = 4;
constexpr int64_t kTokensPerBlock = kThreads * kPair * kSteps;
constexpr int kSums = static_cast<int>(kNumPolicyLossCudaSums);

template <class T>
struct alignas(kPair * sizeof(T)) Pair {
  T values[kPair];
};

// Of tokens first and first + 1, as far as they exist; `otherwise` where the column does not.
template <bool kAligned, class T>
__device__ Pair<T> load_pair(const T* column, int64_t first, int64_t num_tokens, T otherwise) {
  Pair<T> pair = {otherwise, otherwise};
  if (column == nullptr) return pair;
  if (kAligned && first + kPair <= num_tokens)
    return *reinterpret_cast<const Pair<T>*>(column + first);
  for (int i = 0; i < kPair; ++i)
    if (first + i < num_tokens) pair.values[i] = column[first + i];
  return pair;
}

template <bool kAligned>
__device__ void store_pair(float* column, int64_t first, int64_t num_tokens,
                           const Pair<float>& pair) {
  if (column == nullptr) return;
  if (kAligned && first + kPair <= num_tokens) {
    *reinterpret_cast<Pair<float>*>(column + first) = pair;
    return;
  }
  for (int i = 0; i < kPair; ++i)
    if (first + i < num_tokens) column[first + i] = pair.values[i];
}

struct Choices {
  PolicyLossScalars<float> scalars;
  LogprobPenalty pull_penalty, kl_penalty;
  bool kl_straight_through;
};

__device__ Penalty<float> penalty_of(LogprobPenalty kind, float x, float upstream) {
  if (kind == LogprobPenalty::kAbs) return abs_penalty(x, upstream);
  if (kind == LogprobPenalty::kK1) return {x, upstream};
  if (kind == LogprobPenalty::kK2) return k2_penalty(x, upstream);
  return k3_penalty(x, expf(bounded_exponent(-x)), upstream);
}

// A token of the mask.
struct Token {
  float logprob, old_logprob, advantage, entropy, ref_logprob, rollout_weight;
  bool dropped, pulled, has_reference;
  float upstream;  // its weight
};

struct TokenTerms {
  float value = 0, surrogate = 0, penalty = 0;
  float old_minus_new = 0, clipped = 0, dual_clipped = 0;
  float grad_logprob = 0, grad_entropy = 0;
};

__device__ TokenTerms evaluate(const Token& token, const Choices& choices) {
  const PolicyLossScalars<float>& scalars = choices.scalars;
  const float log_ratio = token.logprob - token.old_logprob;
  const float exponent = bounded_exponent(log_ratio);
  TokenTerms terms;
  terms.old_minus_new = -exponent;
  const float upstream =
      token.dropped ? 0.0f : token.upstream * scalars.policy * token.rollout_weight;
  const Surrogate<float> policy =
      surrogate(log_ratio, expf(exponent), token.advantage, scalars, upstream);
  terms.surrogate = policy.value * token.rollout_weight;
  terms.clipped = policy.clipped;
  terms.dual_clipped = policy.dual_clipped;
  if (scalars.policy != 0) {
    terms.grad_logprob = policy.gradient;
    terms.value = token.dropped ? 0.0f : scalars.policy * terms.surrogate;
  }
  if (token.pulled) {
    const Penalty<float> pull =
        penalty_of(choices.pull_penalty, log_ratio, token.upstream * scalars.pull);
    terms.value += scalars.pull * pull.value;
    terms.grad_logprob += pull.gradient;
  }
  if (scalars.entropy != 0) {
    terms.value -= scalars.entropy * token.entropy;
    terms.grad_entropy = -token.upstream * scalars.entropy;
  }
  if (token.has_reference) {
    const float x = token.logprob - token.ref_logprob, kl_upstream = token.upstream * scalars.kl;
    const Penalty<float> kl = penalty_of(choices.kl_penalty, x, kl_upstream);
    terms.penalty = kl.value;
    terms.value += scalars.kl * kl.value;
    terms.grad_logprob += choices.kl_straight_through ? kl_upstream * x : kl.gradient;
  }
  return terms;
}

// Of the mini-batch.
struct Means {
  double logprob, advantage;
};

// Adds the sums of two tokens, and stores their gradients.
template <bool kAligned>
__device__ void add_pair(const TokenPolicyLossCuda& in, const Choices& choices, const Means& means,
                         int64_t first, double (&sums)[kSums]) {
  const int64_t n = in.num_tokens;
  const Pair<bool> mask = load_pair<kAligned>(in.mask_T, first, n, false),
                   dropped = load_pair<kAligned>(in.dropped_T, first, n, false),
                   pulled = load_pair<kAligned>(in.pulled_T, first, n, false);
  const Pair<double> weight = load_pair<kAligned>(in.weight_T, first, n, 0.0);
  const Pair<float> logprob = load_pair<kAligned>(in.logprob_T, first, n, 0.0f),
                    old_logprob = load_pair<kAligned>(in.old_logprob_T, first, n, 0.0f),
                    advantage = load_pair<kAligned>(in.advantage_T, first, n, 0.0f),
                    entropy = load_pair<kAligned>(in.entropy_T, first, n, 0.0f),
                    reference = load_pair<kAligned>(in.ref_logprob_T, first, n, 0.0f),
                    rollout = load_pair<kAligned>(in.rollout_weight_T, first, n, 1.0f);
  Pair<float> grad_logprob = {0.0f, 0.0f}, grad_entropy = {0.0f, 0.0f};
#pragma unroll
  for (int i = 0; i < kPair; ++i) {
    if (!mask.values[i]) continue;
    const TokenTerms terms =
        evaluate({logprob.values[i], old_logprob.values[i], advantage.values[i], entropy.values[i],
                  reference.values[i], rollout.values[i], dropped.values[i], pulled.values[i],
                  in.ref_logprob_T != nullptr, static_cast<float>(weight.values[i])},
                 choices);
    grad_logprob.values[i] = terms.grad_logprob;
    grad_entropy.values[i] = terms.grad_entropy;
    sums[static_cast<int>(PolicyLossSum::kLoss)] += weight.values[i] * terms.value;
    sums[static_cast<int>(PolicyLossSum::kPolicyLoss)] += weight.values[i] * terms.surrogate;
    sums[static_cast<int>(PolicyLossSum::kKlLoss)] += weight.values[i] * terms.penalty;
    sums[static_cast<int>(PolicyLossSum::kEntropy)] += entropy.values[i];
    sums[static_cast<int>(PolicyLossSum::kOldMinusNew)] += terms.old_minus_new;
    sums[static_cast<int>(PolicyLossSum::kClipped)] += terms.clipped;
    sums[static_cast<int>(PolicyLossSum::kDualClipped)] += terms.dual_clipped;
    if (in.mean_logprob != nullptr)
      sums[kSums - 1] +=
          (logprob.values[i] - means.logprob) * (advantage.values[i] - means.advantage);
  }
  store_pair<kAligned>(in.grad_logprob_T, first, n, grad_logprob);
  store_pair<kAligned>(in.grad_entropy_T, first, n, grad_entropy);
}

template <bool kAligned>
__global__ void __launch_bounds__(kThreads)
    policy_loss_kernel(const TokenPolicyLossCuda in, const Choices choices) {
  __shared__ double of_warps[kSums][kThreads / kWarp];
  double sums[kSums] = {};
  Means means = {0, 0};
  if (in.mean_logprob != nullptr) means = {*in.mean_logprob, *in.mean_advantage};
  const int64_t begin = blockIdx.x * kTokensPerBlock + threadIdx.x * kPair;
  for (int step = 0; step < kSteps; ++step) {
    const int64_t first = begin + step * kThreads * kPair;
    if (first < in.num_tokens) add_pair<kAligned>(in, choices, means, first, sums);
  }
#pragma unroll
  for (int sum = 0; sum < kSums; ++sum) {
    const double total = warp_sum(sums[sum]);
    if (threadIdx.x % kWarp == 0) of_warps[sum][threadIdx.x / kWarp] = total;
  }
  __syncthreads();
  if (threadIdx.x >= kSums) return;
  double total = 0;
  for (const double of_warp : of_warps[threadIdx.x]) total += of_warp;
  in.partial_sums[threadIdx.x * static_cast<int64_t>(gridDim.x) + blockIdx.x] = total;
}

// One warp a sum.
__global__ void __launch_bounds__(kSums* kWarp)
    add_blocks_kernel(const double* partial_sums, int64_t num_blocks, double* sums) {
  const int sum = threadIdx.x / kWarp, lane = threadIdx.x % kWarp;
  double total = 0;
  for (int64_t block = lane; block < num_blocks; block += kWarp)
    total += partial_sums[sum * num_blocks + block];
  total = warp_sum(total);
  if (lane == 0) sums[sum] = total;
}

__global__ void __launch_bounds__(kThreads) scale_gradient_kernel(const ScaledGradientCuda tokens) {
  const int64_t t = static_cast<int64_t>(blockIdx.x) * kThreads + threadIdx.x;
  if (t < tokens.num_tokens)
    tokens.scaled_T[t] = tokens.gradient_T[t] * static_cast<float>(*tokens.upstream);
}

// Every pair of every column can be loaded at once.
bool is_aligned(const TokenPolicyLossCuda& in) {
  const auto fits = [](const void* column, uintptr_t bytes) {
    return reinterpret_cast<uintptr_t>(column) % bytes == 0;
  };
  for (const float* column :
       {in.logprob_T, in.old_logprob_T, in.advantage_T, in.entropy_T, in.ref_logprob_T,
        in.rollout_weight_T, static_cast<const float*>(in.grad_logprob_T),
        static_cast<const float*>(in.grad_entropy_T)})
    if (!fits(column, sizeof(Pair<float>))) return false;
  for (const bool* column : {in.mask_T, in.dropped_T, in.pulled_T})
    if (!fits(column, sizeof(Pair<bool>))) return false;
  return fits(in.weight_T, sizeof(Pair<double>));
}

}  // namespace

int64_t policy_loss_blocks(int64_t num_tokens) {
  return (num_tokens + kTokensPerBlock - 1) / kTokensPerBlock;
}

cudaError_t token_policy_loss_cuda(const TokenPolicyLossCuda& tokens, cudaStream_t stream) {
  if (tokens.num_tokens < 0) return cudaErrorInvalidValue;
  const unsigned blocks = blocks_for(tokens.num_tokens, kTokensPerBlock);
  if (tokens.num_tokens > 0) {
    if (blocks == 0) return cudaErrorInvalidValue;
    const Choices choices = {scalars_of<float>(tokens.terms), tokens.terms.pull_penalty,
                             tokens.terms.kl_penalty, tokens.terms.kl_straight_through};
    const auto kernel = is_aligned(tokens) ? policy_loss_kernel<true> : policy_loss_kernel<false>;
    kernel<<<blocks, kThreads, 0, stream>>>(tokens, choices);
    if (const cudaError_t error = cudaGetLastError(); error != cudaSuccess) return error;
  }
  add_blocks_kernel<<<1, kSums * kWarp, 0, stream>>>(tokens.partial_sums, blocks, tokens.sums);
  return cudaGetLastError();
}

cudaError_t scale_gradient_cuda(const ScaledGradientCuda& tokens, cudaStream_t stream) {
  if (tokens.num_tokens == 0) return cudaSuccess;
  const unsigned blocks = tokens.num_tokens > 0 ? blocks_for(tokens.num_tokens, kThreads) : 0;
  if (blocks == 0) return cudaErrorInvalidValue;
  scale_gradient_kernel<<<blocks, kThreads, 0, stream>>>(tokens);
  return cudaGetLastError();
}

}  // namespace covrl::kernels
