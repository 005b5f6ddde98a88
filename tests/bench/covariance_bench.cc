// Covariance and exact selection over a million tokens, beside the reference implementations' way
// (masked product, then topk, or the band's candidates through a random permutation), and beside
// reading the inputs twice. One thread.
//   bench_covariance [--benchmark_filter=...]
#include <ATen/ATen.h>
#include <benchmark/benchmark.h>

#include <numeric>

#include "kernels/covariance.h"
#include "kernels/mode.h"

namespace covrl::kernels {
namespace {

constexpr int64_t kTokens = 1 << 20;
constexpr double kBandShare = 2e-4, kTopShare = 2e-3;

// Normal advantages, exponential log-probs: a heavy tail, as policies have.
const CovarianceInput& input() {
  static const CovarianceInput input = [] {
    at::manual_seed(1);
    set_num_threads(1);
    return CovarianceInput{-at::empty({kTokens}, at::kFloat).exponential_(),
                           at::randn({kTokens}, at::kFloat), at::ones({kTokens}, at::kBool),
                           at::arange(kTokens, at::kLong)};
  }();
  return input;
}

void clip_cov(benchmark::State& state) {
  const CovarianceInput& in = input();
  for (auto _ : state) {
    const CovarianceMoments moments = covariance_moments(in);
    benchmark::DoNotOptimize(select_in_covariance_band(
        in, moments, {1, 5, {}}, static_cast<int64_t>(kBandShare * kTokens), 1, 1));
  }
}

void kl_cov(benchmark::State& state) {
  const CovarianceInput& in = input();
  for (auto _ : state) {
    const CovarianceMoments moments = covariance_moments(in);
    benchmark::DoNotOptimize(
        select_largest_covariance(in, moments, static_cast<int64_t>(kTopShare * kTokens)));
  }
}

void clip_cov_by_permutation(benchmark::State& state) {
  const CovarianceInput& in = input();
  for (auto _ : state) {
    const at::Tensor cov =
        (in.logprob_T - in.logprob_T.mean()) * (in.advantage_T - in.advantage_T.mean());
    const at::Tensor candidates = at::nonzero((cov > 1).logical_and(cov < 5)).flatten();
    const at::Tensor chosen =
        at::randperm(candidates.numel()).slice(0, 0, static_cast<int64_t>(kBandShare * kTokens));
    at::Tensor keep = at::ones({kTokens}, at::kFloat);
    keep.index_fill_(0, candidates.index_select(0, chosen), 0);
    benchmark::DoNotOptimize(keep);
  }
}

void kl_cov_by_topk(benchmark::State& state) {
  const CovarianceInput& in = input();
  for (auto _ : state) {
    const at::Tensor cov =
        (in.logprob_T - in.logprob_T.mean()) * (in.advantage_T - in.advantage_T.mean());
    benchmark::DoNotOptimize(at::topk(cov, static_cast<int64_t>(kTopShare * kTokens)));
  }
}

// 9 bytes a token, twice.
void read_twice(benchmark::State& state) {
  const CovarianceInput& in = input();
  const auto sum = [](const at::Tensor& column) {
    const auto* words = static_cast<const uint64_t*>(column.const_data_ptr());
    uint64_t total = 0;
    for (size_t i = 0; i < column.nbytes() / sizeof(uint64_t); ++i) total += words[i];
    return total;
  };
  for (auto _ : state)
    for (int pass = 0; pass < 2; ++pass)
      benchmark::DoNotOptimize(sum(in.logprob_T) + sum(in.advantage_T) + sum(in.mask_T));
}

BENCHMARK(clip_cov)->Unit(benchmark::kMillisecond);
BENCHMARK(clip_cov_by_permutation)->Unit(benchmark::kMillisecond);
BENCHMARK(kl_cov)->Unit(benchmark::kMillisecond);
BENCHMARK(kl_cov_by_topk)->Unit(benchmark::kMillisecond);
BENCHMARK(read_twice)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace covrl::kernels

BENCHMARK_MAIN();
