// Log-prob and entropy of 512 tokens over a vocabulary of 151,936, forward and backward: ours, and
// log_softmax, gather and entropy as separate tensor operations; from logits and from hidden
// states.
//   bench_token_logprob [--benchmark_filter=...]      threads: OMP_NUM_THREADS
#include <ATen/ATen.h>
#include <benchmark/benchmark.h>

#include "kernels/token_logprob.h"

namespace covrl::kernels {
namespace {

constexpr int64_t kTokens = 512, kVocabulary = 151936, kHidden = 896;

at::Tensor targets() { return at::randint(kVocabulary, {kTokens}, at::kLong); }

TokenLogprob separate_operations(const at::Tensor& logits, const at::Tensor& targets) {
  const at::Tensor logprobs = at::log_softmax(logits, -1);
  return {logprobs.gather(1, targets.unsqueeze(1)).squeeze(1),
          -(logprobs.exp() * logprobs).sum(-1)};
}

template <class Score>
void run(benchmark::State& state, const std::vector<at::Tensor>& variables, const Score& score) {
  const at::Tensor ids = targets();
  for (auto _ : state) {
    const TokenLogprob scored = score(ids);
    (scored.logprob_T.sum() + 0.01 * scored.entropy_T.sum()).backward();
    for (const at::Tensor& variable : variables) at::Tensor(variable).mutable_grad().reset();
  }
}

void logits_ours(benchmark::State& state) {
  const at::Tensor logits = at::randn({kTokens, kVocabulary}).requires_grad_();
  run(state, {logits},
      [&](const at::Tensor& ids) { return token_logprob_from_logits(logits, ids, 1); });
}

void logits_separate(benchmark::State& state) {
  const at::Tensor logits = at::randn({kTokens, kVocabulary}).requires_grad_();
  run(state, {logits}, [&](const at::Tensor& ids) { return separate_operations(logits, ids); });
}

void hidden_ours(benchmark::State& state) {
  const at::Tensor hidden = at::randn({kTokens, kHidden}).requires_grad_();
  const at::Tensor head = (at::randn({kVocabulary, kHidden}) * 0.02).requires_grad_();
  run(state, {hidden, head},
      [&](const at::Tensor& ids) { return token_logprob(hidden, head, ids, 1); });
}

void hidden_separate(benchmark::State& state) {
  const at::Tensor hidden = at::randn({kTokens, kHidden}).requires_grad_();
  const at::Tensor head = (at::randn({kVocabulary, kHidden}) * 0.02).requires_grad_();
  run(state, {hidden, head}, [&](const at::Tensor& ids) {
    return separate_operations(at::matmul(hidden, head.t()), ids);
  });
}

BENCHMARK(logits_ours)->Unit(benchmark::kMillisecond);
BENCHMARK(logits_separate)->Unit(benchmark::kMillisecond);
BENCHMARK(hidden_ours)->Unit(benchmark::kMillisecond);
BENCHMARK(hidden_separate)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace covrl::kernels

BENCHMARK_MAIN();
