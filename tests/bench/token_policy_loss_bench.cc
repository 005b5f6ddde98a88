// The policy loss over tokens, value and gradient: in one pass, and as separate tensor operations
// under autograd. Clip and dual clip alone, and with every other term. One thread.
//   bench_token_policy_loss [--benchmark_filter=...]
#include <ATen/ATen.h>
#include <benchmark/benchmark.h>

#include "kernels/mode.h"
#include "kernels/reference_policy_loss.h"
#include "kernels/token_policy_loss.h"

namespace covrl::kernels {
namespace {

using Loss = TokenPolicyLoss (*)(const TokenPolicyLossInput&, const PolicyLossTerms&);

PolicyLossTerms clip_terms() {
  PolicyLossTerms terms;
  terms.ratio_min = 0.8;
  terms.ratio_max = 1.28;
  terms.ratio_cap = 3;
  return terms;
}

PolicyLossTerms all_terms() {
  PolicyLossTerms terms = clip_terms();
  terms.pull = 1;
  terms.kl = 0.001;
  terms.entropy = 0.001;
  return terms;
}

TokenPolicyLossInput make_input(int64_t count) {
  at::manual_seed(1);
  const at::Tensor logprob = -at::rand({count}) * 3;
  TokenPolicyLossInput input;
  input.logprob_T = logprob.clone().requires_grad_();
  input.entropy_T = at::rand({count}).requires_grad_();
  input.old_logprob_T = logprob + 0.1 * at::randn({count});
  input.advantage_T = at::randn({count});
  input.mask_T = at::ones({count}, at::kBool);
  input.weight_T = at::full({count}, 1 / static_cast<double>(count), at::kDouble);
  input.ref_logprob_T = logprob + at::randn({count});
  input.dropped_T = at::rand({count}) < 0.0002;
  input.pulled_T = at::rand({count}) < 0.002;
  return input;
}

void run(benchmark::State& state, Loss loss, const PolicyLossTerms& terms) {
  set_num_threads(1);
  const int64_t count = state.range(0);
  TokenPolicyLossInput input = make_input(count);
  if (terms.pull == 0) input.dropped_T = input.pulled_T = at::Tensor();
  for (auto _ : state) {
    loss(input, terms).loss.backward();
    input.logprob_T.mutable_grad().reset();
    input.entropy_T.mutable_grad().reset();
  }
  state.SetItemsProcessed(state.iterations() * count);
}

void clip_fused(benchmark::State& state) { run(state, token_policy_loss, clip_terms()); }
void clip_tensors(benchmark::State& state) {
  run(state, reference::token_policy_loss, clip_terms());
}
void all_fused(benchmark::State& state) { run(state, token_policy_loss, all_terms()); }
void all_tensors(benchmark::State& state) { run(state, reference::token_policy_loss, all_terms()); }

BENCHMARK(clip_fused)->Arg(10'000)->Arg(1'000'000)->Unit(benchmark::kMicrosecond);
BENCHMARK(clip_tensors)->Arg(10'000)->Arg(1'000'000)->Unit(benchmark::kMicrosecond);
BENCHMARK(all_fused)->Arg(10'000)->Arg(1'000'000)->Unit(benchmark::kMicrosecond);
BENCHMARK(all_tensors)->Arg(10'000)->Arg(1'000'000)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace covrl::kernels

BENCHMARK_MAIN();
