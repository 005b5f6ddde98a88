// GFLOP/s of linear and its gradients, and of at::matmul on the same shapes; float32 and bfloat16.
//   bench_gemm [--threads=N] [--isa=portable|avx2|avx512|avx512bf16|amx] [--benchmark_filter=...]
#include <ATen/ATen.h>
#include <benchmark/benchmark.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <string_view>

#include "core/error.h"
#include "kernels/cpu_isa.h"
#include "kernels/elements.h"
#include "kernels/linear_cpu.h"
#include "kernels/mode.h"
#include "tests/kernels/model_shape.h"

namespace covrl::kernels {
namespace {

using model_shape::kHidden, model_shape::kIntermediate, model_shape::kVocabulary;

enum class Pass { kForward, kGradX, kGradWeight };

// Ours sums into float32; at::mm has its result in the type of its operands.
struct Operands {
  LinearShape shape;
  at::Tensor x, weight, y, result;

  Operands(const benchmark::State& state, Pass pass, at::ScalarType type,
           at::ScalarType result_type)
      : shape{state.range(0), state.range(1), state.range(2)},
        x(at::randn({shape.tokens, shape.inputs}).to(type)),
        weight(at::randn({shape.outputs, shape.inputs}).to(type)),
        y(at::randn({shape.tokens, shape.outputs}).to(type)),
        result(at::empty_like(pass == Pass::kForward ? y
                              : pass == Pass::kGradX ? x
                                                     : weight,
                              at::TensorOptions(result_type))) {}
};

void report(benchmark::State& state, const LinearShape& shape) {
  const double operations = 2.0 * static_cast<double>(shape.tokens * shape.inputs * shape.outputs);
  state.counters["GFLOP/s"] =
      benchmark::Counter(operations * 1e-9, benchmark::Counter::kIsIterationInvariantRate);
}

template <Pass kPass, at::ScalarType kType>
void ours(benchmark::State& state) {
  const Operands operands(state, kPass, kType, at::kFloat);
  float* result = operands.result.data_ptr<float>();
  with_element(operands.x, [&]<class Element>(Element) {
    const Element* x = elements<Element>(operands.x);
    const Element* weight = elements<Element>(operands.weight);
    const Element* y = elements<Element>(operands.y);
    for (auto _ : state) {
      if (kPass == Pass::kForward) linear_cpu(operands.shape, x, weight, nullptr, result);
      if (kPass == Pass::kGradX) linear_grad_x_cpu(operands.shape, y, weight, result);
      if (kPass == Pass::kGradWeight) linear_grad_weight_cpu(operands.shape, y, x, result);
      benchmark::ClobberMemory();
    }
  });
  report(state, operands.shape);
}

template <Pass kPass, at::ScalarType kType>
void matmul(benchmark::State& state) {
  Operands operands(state, kPass, kType, kType);
  for (auto _ : state) {
    if (kPass == Pass::kForward) at::mm_out(operands.result, operands.x, operands.weight.t());
    if (kPass == Pass::kGradX) at::mm_out(operands.result, operands.y, operands.weight);
    if (kPass == Pass::kGradWeight) at::mm_out(operands.result, operands.y.t(), operands.x);
    benchmark::ClobberMemory();
  }
  report(state, operands.shape);
}

// Tokens, inputs, outputs: training and decoding of the small models, then of larger ones.
const std::vector<std::vector<int64_t>> kShapes = {{2048, 512, 512},
                                                   {4096, 128, 128},
                                                   {4096, 128, 384},
                                                   {4096, 384, 128},
                                                   {4096, 128, 512},
                                                   {1, 128, 128},
                                                   {16, 128, 128},
                                                   {64, 128, 128},
                                                   {128, 128, 512},
                                                   {16, 1024, 1024},
                                                   {512, 1024, 1024},
                                                   {1, 256, 1024},
                                                   {8, 256, 1024},
                                                   {1, kHidden, kIntermediate},
                                                   {2, kHidden, kIntermediate},
                                                   {4, kHidden, kIntermediate},
                                                   {8, kHidden, kIntermediate},
                                                   {64, kHidden, kIntermediate},
                                                   {1024, kHidden, kIntermediate},
                                                   {1, kHidden, kVocabulary},
                                                   {8, kHidden, kVocabulary}};

void shapes(benchmark::internal::Benchmark* bench) {
  bench->ArgNames({"T", "K", "N"});
  for (const std::vector<int64_t>& shape : kShapes) bench->Args(shape);
}

#define COVRL_BENCH(pass, name, type)                                                 \
  BENCHMARK(ours<Pass::pass, at::type>)->Name("ours/" name "/" #type)->Apply(shapes); \
  BENCHMARK(matmul<Pass::pass, at::type>)->Name("matmul/" name "/" #type)->Apply(shapes)

COVRL_BENCH(kForward, "forward", kFloat);
COVRL_BENCH(kGradX, "grad_x", kFloat);
COVRL_BENCH(kGradWeight, "grad_weight", kFloat);
COVRL_BENCH(kForward, "forward", kBFloat16);
COVRL_BENCH(kGradX, "grad_x", kBFloat16);
COVRL_BENCH(kGradWeight, "grad_weight", kBFloat16);

void set_option(std::string_view name, std::string_view value) {
  if (name == "--threads") {
    int threads = 0;
    std::from_chars(value.data(), value.data() + value.size(), threads);
    if (threads < 1) throw_usage("--threads=", value, " is not a number of threads");
    set_num_threads(threads);
  } else {
    const auto* known = std::find(std::begin(kIsaNames), std::end(kIsaNames), value);
    if (known == std::end(kIsaNames)) throw_usage("--isa=", value, " is unknown");
    set_isa(static_cast<Isa>(known - std::begin(kIsaNames)));
  }
}

// Takes our own options, which come before those of the benchmark library.
void take_options(int& argc, char**& argv) {
  for (; argc > 1; ++argv, --argc) {
    const std::string_view option = argv[1], name = option.substr(0, option.find('='));
    if (name != "--threads" && name != "--isa") return;
    set_option(name, option.substr(std::min(option.size(), name.size() + 1)));
    argv[1] = argv[0];
  }
}

}  // namespace
}  // namespace covrl::kernels

int main(int argc, char** argv) {
  covrl::kernels::set_num_threads(1);
  try {
    covrl::kernels::take_options(argc, argv);
  } catch (const covrl::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 2;
  }
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
