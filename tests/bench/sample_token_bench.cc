// Drawing a token for each of 64 rows of 151,936 logits: ours, and the same from separate tensor
// operations (which sort the row where a filter needs it).
//   bench_sample_token [--benchmark_filter=...]      threads: OMP_NUM_THREADS
#include <ATen/ATen.h>
#include <benchmark/benchmark.h>

#include "core/rng.h"
#include "kernels/sample_token.h"
#include "tests/kernels/model_shape.h"

namespace covrl::kernels {
namespace {

using model_shape::kVocabulary;

constexpr int64_t kRows = 64;

const SamplingFilter kFilters[] = {
    {1.0, 0, 1.0, 0.0}, {0.6, 50, 1.0, 0.0}, {0.6, 0, 0.95, 0.0}, {0.6, 50, 0.95, 0.01}};

at::Tensor make_logits() {
  at::manual_seed(1);
  return at::randn({kRows, kVocabulary}) * 3;
}

std::vector<double> make_uniforms() {
  std::vector<double> uniforms;
  for (uint64_t row = 0; row < kRows; ++row)
    uniforms.push_back(uniform(1, Stream::kTest, {0, row, 0, 0}));
  return uniforms;
}

void ours(benchmark::State& state) {
  const at::Tensor logits = make_logits();
  const std::vector<double> uniforms = make_uniforms();
  for (auto _ : state)
    benchmark::DoNotOptimize(sample_token(logits, kFilters[state.range(0)], uniforms));
}

at::Tensor filtered_scores(const at::Tensor& logits, const SamplingFilter& filter) {
  const double none = -std::numeric_limits<double>::infinity();
  at::Tensor scores = logits / filter.temperature;
  if (filter.top_k > 0) {
    const at::Tensor last = std::get<0>(scores.topk(filter.top_k)).narrow(1, filter.top_k - 1, 1);
    scores = scores.masked_fill(scores < last, none);
  }
  if (filter.top_p < 1) {
    const auto [sorted, order] = scores.sort(/*dim=*/1, /*descending=*/true);
    const at::Tensor probability = sorted.softmax(1);
    const at::Tensor removed = probability.cumsum(1) - probability >= filter.top_p;
    scores = scores.masked_fill(at::zeros_like(removed).scatter(1, order, removed), none);
  }
  if (filter.min_p > 0) {
    const at::Tensor probability = scores.softmax(1);
    scores = scores.masked_fill(probability < filter.min_p * probability.amax(1, true), none);
  }
  return scores;
}

void separate(benchmark::State& state) {
  const at::Tensor logits = make_logits();
  const at::Tensor uniforms = at::tensor(make_uniforms(), at::kFloat).unsqueeze(1);
  const SamplingFilter& filter = kFilters[state.range(0)];
  for (auto _ : state) {
    const at::Tensor full = (logits / filter.temperature).log_softmax(1);
    const at::Tensor kept = filtered_scores(logits, filter).log_softmax(1);
    const at::Tensor token =
        at::searchsorted(kept.exp().cumsum(1), uniforms).clamp_max(kVocabulary - 1);
    benchmark::DoNotOptimize(full.gather(1, token));
    benchmark::DoNotOptimize(kept.gather(1, token));
    benchmark::DoNotOptimize(-(full.exp() * full).sum(1));
  }
}

// 0: no filter; 1: top-k; 2: top-p; 3: top-k, top-p and min-p.
BENCHMARK(ours)->DenseRange(0, 3)->Unit(benchmark::kMillisecond);
BENCHMARK(separate)->DenseRange(0, 3)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace covrl::kernels

BENCHMARK_MAIN();
