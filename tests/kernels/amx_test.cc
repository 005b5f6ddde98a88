// Products of bfloat16 on AMX tiles: the machine code of the kernel, run by the processor where it
// has AMX, by tests/support/amx_emulator.h where it has not.
#if defined(__x86_64__) && defined(__linux__)

#include "kernels/amx.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cmath>
#include <cstring>
#include <optional>

#include "kernels/elements.h"
#include "kernels/gemm_cpu.h"
#include "kernels/linear.h"
#include "kernels/reference.h"
#include "kernels/token_logprob.h"
#include "tests/kernels/op_check.h"
#include "tests/support/amx_emulator.h"

namespace covrl::kernels {
namespace {

using covrl::testing::AmxEmulator;
using testing::Tensors;

class Amx : public ::testing::Test {
 protected:
  void SetUp() override {
    if (best_ < Isa::kAvx512Bf16) GTEST_SKIP() << "this processor has no AVX512_BF16";
    if (!amx_allowed()) emulator_.emplace();
    set_best_isa(Isa::kAmx);
  }
  void TearDown() override { set_best_isa(best_); }

  bool emulated() const { return emulator_.has_value(); }

 private:
  const Isa best_ = best_isa();
  std::optional<AmxEmulator> emulator_;
};

// c [rows, columns] = a [rows, depth] b [depth, columns].
struct Case {
  int64_t rows, columns, depth;
  bool transposed = false;  // a is stored depth by depth
  bool accumulate = false, bias = false;
};

void PrintTo(const Case& c, std::ostream* out) {
  *out << c.rows << " x " << c.columns << " x " << c.depth << (c.transposed ? " transposed" : "")
       << (c.accumulate ? " accumulate" : "") << (c.bias ? " bias" : "");
}

struct Inputs {
  at::Tensor a, b, c, bias;

  explicit Inputs(const Case& of)
      : a(at::randn({of.rows, of.depth}).to(at::kBFloat16)),
        b(at::randn({of.depth, of.columns}).to(at::kBFloat16)),
        c(at::randn({of.rows, of.columns})),
        bias(at::randn({of.columns})) {}
};

at::Tensor on_tiles(const Case& of, const Inputs& in) {
  const CpuKernels& kernels = cpu_kernels(Isa::kAmx);
  const int64_t stride = of.transposed ? of.rows : whole_words<Bfloat16>(of.depth);
  const at::Tensor a = of.transposed
                           ? in.a.t().contiguous()
                           : at::constant_pad_nd(in.a, {0, stride - of.depth}).contiguous();
  at::Tensor panels = at::empty({packed_size<Bfloat16>(kernels, of.depth, of.columns)});
  pack_panels<Bfloat16>(kernels, {elements<Bfloat16>(in.b), of.columns, 1}, of.depth, of.columns,
                        panels.data_ptr<float>());
  at::Tensor c = in.c.clone();
  kernels.bfloat16.multiply({.a = elements<Bfloat16>(a),
                             .a_row_stride = of.transposed ? 1 : stride,
                             .a_depth_stride = of.transposed ? stride : 1,
                             .b = panels.const_data_ptr<float>(),
                             .b_panel_stride = num_words<Bfloat16>(of.depth) * kernels.panel_width,
                             .c = c.data_ptr<float>(),
                             .c_row_stride = of.columns,
                             .bias = of.bias ? in.bias.const_data_ptr<float>() : nullptr,
                             .rows = of.rows,
                             .columns = of.columns,
                             .depth = of.depth,
                             .accumulate = of.accumulate});
  return c;
}

// The arithmetic of TDPBF16PS in the order of simd/gemm_amx.h, for one element.
float add_steps(const float* a, const float* b, int64_t begin, int64_t end) {
  float sum = 0;
  for (int64_t step = begin; step < end; step += 32) {
    float even = 0, odd = 0;
    for (int64_t k = step; k < std::min(step + 32, end); k += 2) {
      even = std::fma(a[k], b[k], even);
      if (k + 1 < end) odd = std::fma(a[k + 1], b[k + 1], odd);
    }
    sum += even + odd;
  }
  return sum;
}

at::Tensor in_plain_loops(const Case& of, const Inputs& in) {
  const at::Tensor a = in.a.to(at::kFloat), b_columns = in.b.to(at::kFloat).t().contiguous();
  const int64_t whole = of.depth / 32 * 32;
  at::Tensor result = in.c.clone();
  for (int64_t i = 0; i < of.rows * of.columns; ++i) {
    const float* row = a.const_data_ptr<float>() + i / of.columns * of.depth;
    const float* column = b_columns.const_data_ptr<float>() + i % of.columns * of.depth;
    float& c = result.data_ptr<float>()[i];
    bool started = of.accumulate;
    for (const auto& [begin, end] : {std::pair{int64_t{0}, whole}, {whole, of.depth}}) {
      if (begin == end) continue;
      const float sum = add_steps(row, column, begin, end);
      c = started ? c + sum : sum;
      started = true;
    }
    if (of.bias) c += in.bias.const_data_ptr<float>()[i % of.columns];
  }
  return result;
}

TEST_F(Amx, MultipliesByTheArithmeticOfTheManual) {
  const int64_t before = AmxEmulator::num_executed();
  at::manual_seed(1);
  for (const int64_t rows : {1, 2, 15, 16, 17, 31, 32, 33, 65}) {
    for (const int64_t columns : {1, 15, 16, 17, 31, 32, 33, 71}) {
      for (const int64_t depth : {1, 2, 3, 31, 32, 33, 63, 64, 65, 127, 255, 256}) {
        const bool odd_rows = rows % 2 == 1, odd_columns = columns % 2 == 1;
        const Case of{rows, columns, depth, (depth + columns) % 3 == 0, odd_columns, odd_rows};
        const Inputs in(of);
        ASSERT_TRUE(on_tiles(of, in).equal(in_plain_loops(of, in))) << ::testing::PrintToString(of);
      }
    }
  }
  EXPECT_EQ(emulated(), AmxEmulator::num_executed() > before);
  EXPECT_FALSE(AmxEmulator::tiles_configured()) << "the tiles were not released";
}

TEST_F(Amx, NoDepthIsTheBiasAlone) {
  at::manual_seed(2);
  const Case of{.rows = 5, .columns = 37, .depth = 0, .bias = true};
  const Inputs in(of);
  EXPECT_TRUE(on_tiles(of, in).equal(in.bias.expand({5, 37})));
}

TEST_F(Amx, TakesSubnormalNumbersForZero) {
  const Case of{.rows = 2, .columns = 3, .depth = 40};
  Inputs in(of);
  in.a.fill_(0x1p-130);
  in.b.fill_(0x1p+20);
  EXPECT_TRUE(on_tiles(of, in).equal(at::zeros({2, 3}))) << "subnormal factors";
  in.a.fill_(0x1p-70);
  in.b.fill_(0x1p-70);
  EXPECT_TRUE(on_tiles(of, in).equal(at::zeros({2, 3}))) << "subnormal sums";
}

TEST_F(Amx, ARowThatIsNotANumberLeavesTheOthersAlone) {
  at::manual_seed(3);
  const Case of{.rows = 21, .columns = 35, .depth = 50};
  Inputs in(of);
  const at::Tensor expected = on_tiles(of, in);
  in.a.select(0, 17).fill_(NAN);
  const at::Tensor c = on_tiles(of, in);
  EXPECT_TRUE(c.select(0, 17).isnan().all().item<bool>());
  EXPECT_TRUE(c.narrow(0, 0, 17).equal(expected.narrow(0, 0, 17)));
  EXPECT_TRUE(c.narrow(0, 18, 3).equal(expected.narrow(0, 18, 3)));
}

// `bytes` that end where memory that must not be touched begins.
class GuardedMemory {
 public:
  explicit GuardedMemory(size_t bytes)
      : page_(static_cast<size_t>(sysconf(_SC_PAGESIZE))),
        size_((bytes + page_ - 1) / page_ * page_),
        start_(static_cast<char*>(mmap(nullptr, size_ + page_, PROT_READ | PROT_WRITE,
                                       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0))),
        data_(start_ + size_ - bytes) {
    if (mprotect(start_ + size_, page_, PROT_NONE) != 0) std::abort();
  }
  ~GuardedMemory() { munmap(start_, size_ + page_); }

  template <class T>
  T* as() const {
    return reinterpret_cast<T*>(data_);
  }

 private:
  size_t page_, size_;
  char *start_, *data_;
};

TEST_F(Amx, TouchesNothingBeyondItsOperands) {
  const CpuKernels& kernels = cpu_kernels(Isa::kAmx);
  for (const bool transposed : {false, true}) {
    for (const Case& of : {Case{1, 1, 1}, Case{7, 5, 3}, Case{16, 16, 32}, Case{17, 33, 34},
                           Case{33, 47, 95}, Case{31, 64, 256}}) {
      const int64_t depth = whole_words<Bfloat16>(of.depth);
      const GuardedMemory a(of.rows * (transposed ? of.depth : depth) * sizeof(Bfloat16));
      const GuardedMemory b(packed_size<Bfloat16>(kernels, of.depth, of.columns) * sizeof(float));
      const GuardedMemory c(of.rows * of.columns * sizeof(float));
      const GuardedMemory bias(of.columns * sizeof(float));
      kernels.bfloat16.multiply({.a = a.as<Bfloat16>(),
                                 .a_row_stride = transposed ? 1 : depth,
                                 .a_depth_stride = transposed ? of.rows : 1,
                                 .b = b.as<float>(),
                                 .b_panel_stride = depth / 2 * kernels.panel_width,
                                 .c = c.as<float>(),
                                 .c_row_stride = of.columns,
                                 .bias = bias.as<float>(),
                                 .rows = of.rows,
                                 .columns = of.columns,
                                 .depth = of.depth,
                                 .accumulate = true});
      EXPECT_EQ(c.as<float>()[of.rows * of.columns - 1], 0);
    }
  }
}

at::Tensor fast(const Tensors& inputs) { return linear(inputs[0], inputs[1], inputs[2]); }
at::Tensor oracle(const Tensors& inputs) {
  return reference::linear(inputs[0], inputs[1], inputs[2]);
}

// Inputs of `linear`: T tokens, K inputs, N outputs.
Tensors make_inputs(int64_t tokens, int64_t inputs, int64_t outputs) {
  at::manual_seed(tokens * 1009 + inputs);
  return {at::randn({tokens, inputs}), at::randn({outputs, inputs}), at::randn({outputs})};
}

TEST_F(Amx, LinearIsAsCloseToFloat64AsPlainTorch) {
  for (const Tensors& inputs :
       {make_inputs(1, 1, 1), make_inputs(5, 37, 3), make_inputs(13, 255, 31),
        make_inputs(17, 521, 35), make_inputs(37, 64, 33)})
    testing::expect_close_to_oracle(fast, oracle, inputs);
}

TEST_F(Amx, GradientsHaveTheSameBitsOnAnyThreads) {
  for (const Tensors& inputs : {make_inputs(7, 31, 33), make_inputs(300, 128, 96)})
    testing::expect_invariant(fast, inputs, at::kBFloat16);
}

TEST_F(Amx, RowAloneHasTheBitsItHasInTheBatchOnAnyThreads) {
  const Tensors inputs = make_inputs(100, 320, 75);
  const at::Tensor x = inputs[0].to(at::kBFloat16), weight = inputs[1].to(at::kBFloat16);
  const int threads = at::get_num_threads();
  set_num_threads(3);
  const at::Tensor whole = linear_float32(x, weight);
  set_num_threads(threads);
  for (int64_t start = 0, count = 1; start < 100; start += count, count = count % 17 + 3) {
    count = std::min(count, 100 - start);
    testing::expect_same_bits(linear_float32(x.narrow(0, start, count), weight),
                              whole.narrow(0, start, count), "rows from " + std::to_string(start));
  }
}

// The sampler's logits are those that the learner scores.
TEST_F(Amx, TilesOfTheVocabularyHaveTheBitsOfWholeLogits) {
  at::manual_seed(5);
  const at::Tensor hidden = at::randn({37, 56}).to(at::kBFloat16);
  const at::Tensor head = (at::randn({1301, 56}) * 0.3).to(at::kBFloat16);
  const at::Tensor targets = at::randint(1301, {37}, at::kLong);
  const TokenLogprob tiled = token_logprob(hidden, head, targets, 0.6);
  for (int64_t row = 0; row < 37; row += 9) {
    const at::Tensor logits = linear_float32(hidden.narrow(0, row, 1), head);
    const TokenLogprob whole = token_logprob_from_logits(logits, targets.narrow(0, row, 1), 0.6);
    EXPECT_TRUE(tiled.logprob_T.narrow(0, row, 1).equal(whole.logprob_T)) << row;
    EXPECT_TRUE(tiled.entropy_T.narrow(0, row, 1).equal(whole.entropy_T)) << row;
  }
}

TEST_F(Amx, IsUsedOnlyIfItMultipliesAsAvx512Bf16Does) {
  EXPECT_TRUE(amx_multiplies());
  CpuKernels wrong = cpu_kernels(Isa::kAmx);
  wrong.bfloat16.multiply = [](const ProductOf<Bfloat16>& product) {
    cpu_kernels(Isa::kAmx).bfloat16.multiply(product);
    product.c[product.rows * product.c_row_stride - 1] += 0x1p-12f;
  };
  ::testing::internal::CaptureStderr();
  EXPECT_FALSE(amx_multiplies(wrong));
  EXPECT_NE(::testing::internal::GetCapturedStderr().find("AVX512_BF16 is used"),
            std::string::npos);
}

void use_tiles_not_configured() { asm volatile("tilezero %tmm0"); }

void configure_rows_without_bytes() {
  uint8_t config[64] = {1};
  config[48] = 16;
  asm volatile("ldtilecfg %0" : : "m"(config));
}

void multiply_unequal_depths() {
  uint8_t config[64] = {1};
  for (const int tile : {0, 1, 2}) {
    config[16 + 2 * tile] = 64;
    config[48 + tile] = 15;
  }
  asm volatile("ldtilecfg %0; tdpbf16ps %%tmm2, %%tmm1, %%tmm0" : : "m"(config));
}

using AmxDeathTest = Amx;

// What the processor refuses, the emulator refuses, and says so.
TEST_F(AmxDeathTest, MisuseOfTilesEndsTheProgram) {
  const auto message = [&](const char* text) { return emulated() ? text : ""; };
  EXPECT_DEATH(use_tiles_not_configured(), message("used before ldtilecfg"));
  EXPECT_DEATH(configure_rows_without_bytes(), message("rows without bytes"));
  EXPECT_DEATH(multiply_unequal_depths(), message("depths of A and B differ"));
}

}  // namespace
}  // namespace covrl::kernels

#endif
