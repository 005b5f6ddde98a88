// Log-prob and entropy over a vocabulary of 151,936, forward and backward: ours, and log_softmax,
// gather and entropy as separate tensor operations; from logits and from hidden states of 896.
// extra_MiB holds the gradients as well.
//   bench_token_logprob [--benchmark_filter=...]      threads: OMP_NUM_THREADS
#include <ATen/ATen.h>
#include <benchmark/benchmark.h>

#include "kernels/token_logprob.h"
#include "tests/bench/peak_memory.h"
#include "tests/kernels/model_shape.h"

namespace covrl::kernels {
namespace {

using model_shape::kHidden, model_shape::kVocabulary;

TokenLogprob separate_operations(const at::Tensor& logits, const at::Tensor& targets) {
  const at::Tensor logprobs = at::log_softmax(logits.to(at::kFloat), -1);
  return {logprobs.gather(1, targets.unsqueeze(1)).squeeze(1),
          -(logprobs.exp() * logprobs).sum(-1)};
}

template <class Score>
void run(benchmark::State& state, const std::vector<at::Tensor>& variables, const Score& score) {
  const int64_t num_tokens = state.range(0);
  const at::Tensor ids = at::randint(kVocabulary, {num_tokens}, at::kLong);
  const at::Tensor weights = at::randn({num_tokens});
  const bench::PeakMemory memory;
  for (auto _ : state) {
    const TokenLogprob scored = score(ids);
    (scored.logprob_T.dot(weights) + 0.01 * scored.entropy_T.dot(weights)).backward();
    for (const at::Tensor& variable : variables) at::Tensor(variable).mutable_grad().reset();
  }
  memory.report(state);
}

enum class Way { kOurs, kSeparate };

template <Way kWay, at::ScalarType kType>
void from_logits(benchmark::State& state) {
  at::Tensor logits = at::empty({state.range(0), kVocabulary}, kType);
  logits.normal_().requires_grad_();
  run(state, {logits}, [&](const at::Tensor& ids) {
    return kWay == Way::kOurs ? token_logprob_from_logits(logits, ids, 1)
                              : separate_operations(logits, ids);
  });
}

template <Way kWay, at::ScalarType kType>
void from_hidden(benchmark::State& state) {
  const at::Tensor hidden = at::randn({state.range(0), kHidden}).to(kType).requires_grad_();
  at::Tensor head = at::empty({kVocabulary, kHidden}, kType);
  head.normal_(0, 0.02).requires_grad_();
  run(state, {hidden, head}, [&](const at::Tensor& ids) {
    return kWay == Way::kOurs ? token_logprob(hidden, head, ids, 1)
                              : separate_operations(at::matmul(hidden, head.t()), ids);
  });
}

void tokens(benchmark::internal::Benchmark* bench) {
  bench->ArgName("T")->Arg(512)->Arg(4096)->Unit(benchmark::kMillisecond)->MeasureProcessCPUTime();
}

#define COVRL_BENCH(input, type)                                                             \
  BENCHMARK(from_##input<Way::kOurs, at::type>)->Name(#input "/ours/" #type)->Apply(tokens); \
  BENCHMARK(from_##input<Way::kSeparate, at::type>)->Name(#input "/separate/" #type)->Apply(tokens)

COVRL_BENCH(logits, kFloat);
COVRL_BENCH(logits, kBFloat16);
COVRL_BENCH(hidden, kFloat);
COVRL_BENCH(hidden, kBFloat16);

}  // namespace
}  // namespace covrl::kernels

BENCHMARK_MAIN();
