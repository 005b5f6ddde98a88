// GFLOP/s of linear and its gradients, and of at::matmul on the same shapes.
//   bench_gemm [--threads=N] [--benchmark_filter=...]
#include <ATen/ATen.h>
#include <benchmark/benchmark.h>

#include <cstdlib>
#include <cstring>

#include "kernels/linear_cpu.h"
#include "kernels/mode.h"

namespace covrl::kernels {
namespace {

enum class Pass { kForward, kGradX, kGradWeight };

struct Operands {
  LinearShape shape;
  at::Tensor x, weight, y;

  explicit Operands(const benchmark::State& state)
      : shape{state.range(0), state.range(1), state.range(2)},
        x(at::randn({shape.tokens, shape.inputs})),
        weight(at::randn({shape.outputs, shape.inputs})),
        y(at::randn({shape.tokens, shape.outputs})) {}
};

void report(benchmark::State& state, const LinearShape& shape) {
  const double operations = 2.0 * static_cast<double>(shape.tokens * shape.inputs * shape.outputs);
  state.counters["GFLOP/s"] =
      benchmark::Counter(operations * 1e-9, benchmark::Counter::kIsIterationInvariantRate);
}

template <Pass kPass>
void ours(benchmark::State& state) {
  const Operands operands(state);
  float* x = operands.x.data_ptr<float>();
  float* weight = operands.weight.data_ptr<float>();
  float* y = operands.y.data_ptr<float>();
  for (auto _ : state) {
    if (kPass == Pass::kForward) linear_cpu(operands.shape, x, weight, nullptr, y);
    if (kPass == Pass::kGradX) linear_grad_x_cpu(operands.shape, y, weight, x);
    if (kPass == Pass::kGradWeight) linear_grad_weight_cpu(operands.shape, y, x, weight);
    benchmark::ClobberMemory();
  }
  report(state, operands.shape);
}

template <Pass kPass>
void matmul(benchmark::State& state) {
  Operands operands(state);
  for (auto _ : state) {
    if (kPass == Pass::kForward) at::mm_out(operands.y, operands.x, operands.weight.t());
    if (kPass == Pass::kGradX) at::mm_out(operands.x, operands.y, operands.weight);
    if (kPass == Pass::kGradWeight) at::mm_out(operands.weight, operands.y.t(), operands.x);
    benchmark::ClobberMemory();
  }
  report(state, operands.shape);
}

// Tokens, inputs, outputs: training and decoding of the small models, then of larger ones.
void shapes(benchmark::internal::Benchmark* bench) {
  bench->ArgNames({"T", "K", "N"});
  for (const std::vector<int64_t>& shape : std::vector<std::vector<int64_t>>{{2048, 512, 512},
                                                                             {4096, 128, 128},
                                                                             {4096, 128, 384},
                                                                             {4096, 384, 128},
                                                                             {4096, 128, 512},
                                                                             {1, 128, 128},
                                                                             {16, 128, 128},
                                                                             {64, 128, 128},
                                                                             {128, 128, 512},
                                                                             {16, 1024, 1024},
                                                                             {512, 1024, 1024}})
    bench->Args(shape);
}

BENCHMARK(ours<Pass::kForward>)->Name("ours/forward")->Apply(shapes);
BENCHMARK(matmul<Pass::kForward>)->Name("matmul/forward")->Apply(shapes);
BENCHMARK(ours<Pass::kGradX>)->Name("ours/grad_x")->Apply(shapes);
BENCHMARK(matmul<Pass::kGradX>)->Name("matmul/grad_x")->Apply(shapes);
BENCHMARK(ours<Pass::kGradWeight>)->Name("ours/grad_weight")->Apply(shapes);
BENCHMARK(matmul<Pass::kGradWeight>)->Name("matmul/grad_weight")->Apply(shapes);

}  // namespace
}  // namespace covrl::kernels

int main(int argc, char** argv) {
  int num_threads = 1;
  if (argc > 1 && std::strncmp(argv[1], "--threads=", 10) == 0) {
    num_threads = std::atoi(argv[1] + 10);
    argv[1] = argv[0];
    ++argv;
    --argc;
  }
  covrl::kernels::set_num_threads(num_threads);
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
