// Covariance and exact selection over a million tokens, beside the reference implementations' way
// (their forward up to the loss matrix, of which the selection is a part) and beside reading the
// inputs twice. One thread. The argument is the number of inputs that are taken in turn: one stays
// in the last-level cache, many come from memory, as they do after a model's pass.
//   bench_covariance [--benchmark_filter=...]
#include <ATen/ATen.h>
#include <benchmark/benchmark.h>

#include <vector>

#include "kernels/best_of.h"
#include "kernels/covariance.h"
#include "kernels/mode.h"
#include "kernels/radix_select.h"
#include "kernels/vector_clones.h"

namespace covrl::kernels {
namespace {

constexpr int64_t kRows = 4096, kColumns = 256, kTokens = kRows * kColumns;
constexpr double kBandShare = 2e-4, kTopShare = 2e-3;

// Responses of 200 to 256 tokens with an advantage each.
struct Input {
  at::Tensor logprob, old_logprob, advantage, mask;  // float [rows, columns]
  CovarianceInput columns;

  Input() {
    logprob = at::rand({kRows, kColumns}) * -3;
    old_logprob = logprob + 0.01 * at::randn({kRows, kColumns});
    advantage = at::randn({kRows, 1}).expand({kRows, kColumns}).contiguous();
    mask = at::ones({kRows, kColumns});
    mask.slice(1, 200).copy_(at::rand({kRows, kColumns - 200}) < 0.5);
    columns = {logprob.flatten(), advantage.flatten(), (mask > 0).flatten(), {}};
    for (int64_t row = 0; row < kRows; ++row) columns.ids.append(row << 24, kColumns);
  }
};

// The next of state.range(0) inputs.
class Turn {
 public:
  explicit Turn(const benchmark::State& state) : count_(static_cast<size_t>(state.range(0))) {
    at::manual_seed(1);
    set_num_threads(1);
    while (inputs().size() < count_) inputs().emplace_back();
  }
  const Input& next() { return inputs()[place_++ % count_]; }

 private:
  static std::vector<Input>& inputs() {
    static std::vector<Input> inputs;
    return inputs;
  }
  size_t count_, place_ = 0;
};

void clip_cov(benchmark::State& state) {
  Turn turn(state);
  for (auto _ : state) {
    const CovarianceInput& in = turn.next().columns;
    benchmark::DoNotOptimize(select_in_covariance_band(
        in, {1, 5, {}}, static_cast<int64_t>(kBandShare * kTokens), 1, 1));
  }
}

void kl_cov(benchmark::State& state) {
  Turn turn(state);
  for (auto _ : state) {
    const CovarianceInput& in = turn.next().columns;
    benchmark::DoNotOptimize(
        select_largest_covariance(in, static_cast<int64_t>(kTopShare * kTokens)));
  }
}

void moments_alone(benchmark::State& state) {
  Turn turn(state);
  for (auto _ : state) benchmark::DoNotOptimize(covariance_moments(turn.next().columns));
}

at::Tensor masked_mean(const at::Tensor& values, const at::Tensor& mask) {
  return (values * mask).sum() / (mask.sum() + 1e-8);
}

void reference_clip_cov(benchmark::State& state) {
  Turn turn(state);
  for (auto _ : state) {
    const auto& [logprob, old_logprob, advantage, mask, columns] = turn.next();
    const at::Tensor ratio = (logprob - old_logprob).exp(), loss = -advantage * ratio,
                     clipped_loss = -advantage * ratio.clamp(0.8, 1.2),
                     clipped = (clipped_loss > loss) & (mask > 0);
    at::Tensor cov =
        (advantage - masked_mean(advantage, mask)) * (logprob - masked_mean(logprob, mask));
    cov.masked_fill_(mask == 0, -INFINITY).masked_fill_(clipped, -INFINITY);
    const int64_t number = static_cast<int64_t>(kBandShare * mask.sum().item<double>());
    const at::Tensor band = at::nonzero((cov < 5) & (cov > 1) & (mask > 0)),
                     chosen = band.index_select(0, at::randperm(band.size(0)).slice(0, 0, number));
    at::Tensor keep = at::ones_like(advantage);
    keep.index_put_({chosen.select(1, 0), chosen.select(1, 1)}, at::zeros({}));
    benchmark::DoNotOptimize(masked_mean(at::maximum(loss, clipped_loss) * keep, mask));
  }
}

void reference_kl_cov(benchmark::State& state) {
  Turn turn(state);
  for (auto _ : state) {
    const auto& [logprob, old_logprob, advantage, mask, columns] = turn.next();
    const at::Tensor log_ratio = logprob - old_logprob, valid = mask > 0,
                     places = at::nonzero(valid.flatten()).flatten(),
                     pulled = -advantage * log_ratio.exp() + log_ratio.abs();
    at::Tensor loss = -advantage * log_ratio.exp();
    const at::Tensor a = advantage.masked_select(valid), x = logprob.masked_select(valid),
                     cov = (a - a.mean()) * (x - x.mean());
    const int64_t number = static_cast<int64_t>(kTopShare * static_cast<double>(cov.numel()));
    const at::Tensor chosen = places.index_select(0, std::get<1>(at::topk(cov, number))),
                     row = chosen.floor_divide(kColumns), column = chosen.remainder(kColumns);
    loss.index_put_({row, column}, pulled.index({row, column}));
    benchmark::DoNotOptimize(masked_mean(loss, mask));
  }
}

// The largest share 1 / range(1) of given numbers, one way or the other.
std::vector<double> covariances(const CovarianceInput& in) {
  const at::Tensor values = covariance(in);
  return {values.const_data_ptr<double>(), values.const_data_ptr<double>() + kTokens};
}

void by_radix(benchmark::State& state) {
  const CovarianceInput& in = Turn(state).next().columns;
  const std::vector<double> values = covariances(in);
  const std::vector<int64_t> ids = in.ids.column();
  const RadixItems items{values.data(), in.mask_T.const_data_ptr<bool>(), ids.data(), kTokens};
  for (auto _ : state) benchmark::DoNotOptimize(radix_select(items, kTokens / state.range(1)));
}

void by_best_of(benchmark::State& state) {
  const CovarianceInput& in = Turn(state).next().columns;
  const std::vector<double> values = covariances(in);
  const bool* mask = in.mask_T.const_data_ptr<bool>();
  for (auto _ : state) {
    BestOf<double> best(kTokens / state.range(1), -INFINITY, in.ids);
    for (int64_t t = 0; t < kTokens; ++t)
      if (mask[t]) best.offer(values[static_cast<size_t>(t)], t);
    benchmark::DoNotOptimize(best.lowest());
  }
}

// What a selection reads of a token, twice: log-prob, advantage and mask, 9 bytes. Ids are a few
// kilobytes.
void read_twice(benchmark::State& state) {
  Turn turn(state);
  uint64_t total = 0;
  const auto read = [&](const at::Tensor& column) {
    const auto* words = static_cast<const uint64_t*>(column.const_data_ptr());
    const int64_t count = static_cast<int64_t>(column.nbytes() / sizeof(uint64_t));
    run_vectorised([&]() COVRL_INLINE_BODY {
      uint64_t sum = 0;
      for (int64_t i = 0; i < count; ++i) sum += words[i];
      total += sum;
    });
  };
  for (auto _ : state) {
    const CovarianceInput& in = turn.next().columns;
    for (int pass = 0; pass < 2; ++pass)
      for (const at::Tensor& column : {in.logprob_T, in.advantage_T, in.mask_T}) read(column);
    benchmark::DoNotOptimize(total);
  }
}

#define COVRL_BENCHMARK(name) \
  BENCHMARK(name)->Arg(1)->Arg(16)->ArgName("inputs")->Unit(benchmark::kMillisecond)
COVRL_BENCHMARK(read_twice);
COVRL_BENCHMARK(moments_alone);
COVRL_BENCHMARK(clip_cov);
COVRL_BENCHMARK(reference_clip_cov);
COVRL_BENCHMARK(kl_cov);
COVRL_BENCHMARK(reference_kl_cov);
BENCHMARK(by_radix)->Args({1, 500})->Args({1, 5})->Unit(benchmark::kMillisecond);
BENCHMARK(by_best_of)->Args({1, 500})->Args({1, 5})->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace covrl::kernels

BENCHMARK_MAIN();
