// What decoding and scoring do with tensors of a CUDA device: the ops' own kernels and loops. They
// run on a GPU, or on the emulator, where LibTorch allocates and copies but none of its kernels
// run: its matrix product and what else the loops need is then done by the CPU.
#include <ATen/Context.h>
#include <torch/library.h>

#include <cmath>
#include <cstdlib>

#include "core/error.h"
#include "core/rng.h"
#include "kernels/attention.h"
#include "kernels/reference.h"
#include "kernels/reference_logprob.h"
#include "kernels/sample_token.h"
#include "kernels/token_logprob.h"
#include "tests/kernels/op_check.h"

namespace covrl::kernels {
namespace {

using testing::Tensors;

at::Tensor there(const at::Tensor& tensor) { return tensor.to(at::kCUDA); }

at::Tensor mm(const at::Tensor& a, const at::Tensor& b) {
  return there(at::mm(a.cpu(), b.cpu()).contiguous());
}
at::Tensor mm_dtype(const at::Tensor& a, const at::Tensor& b, at::ScalarType type) {
  return there(at::mm(a.cpu().to(type), b.cpu().to(type)).contiguous());
}
at::Tensor& add_(at::Tensor& self, const at::Tensor& other, const at::Scalar& alpha) {
  return self.copy_(self.cpu().add_(other.cpu(), alpha));
}
at::Tensor& zero_(at::Tensor& self) {
  return self.copy_(at::zeros(self.sizes(), self.scalar_type()));
}

bool is_emulated() {
  const char* preloaded = std::getenv("LD_PRELOAD");
  return preloaded != nullptr && std::string(preloaded).find("ptxsim") != std::string::npos;
}

class DecodingCudaOps : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!at::hasCUDA()) GTEST_SKIP() << "no CUDA device";
    if (!is_emulated()) return;
    // LibTorch may trip over driver functions that the emulator has not, once.
    try {
      at::empty({1}, at::kCUDA);
    } catch (const c10::Error&) {
    }
    static torch::Library stand_ins(torch::Library::IMPL, "aten", c10::DispatchKey::CUDA, __FILE__,
                                    __LINE__);
    static const bool once = [] {
      stand_ins.impl("mm", mm);
      stand_ins.impl("mm.dtype", mm_dtype);
      stand_ins.impl("add_.Tensor", add_);
      stand_ins.impl("zero_", zero_);
      return true;
    }();
    ASSERT_TRUE(once);
  }
};

// Vocabularies of one tile, of two and of three, the last ragged.
TEST_F(DecodingCudaOps, TokenLogprobFromHiddenStates) {
  at::manual_seed(3);
  for (const int64_t num_ids : {5, 8193, 20001}) {
    const Tensors inputs = {at::randn({7, 24}), at::randn({num_ids, 24}) * 0.5};
    const at::Tensor targets = at::randint(num_ids, {7}, at::kLong);
    const auto joined = [](const TokenLogprob& scored) {
      return scored.logprob_T.cpu() + 2 * scored.entropy_T.cpu();
    };
    const testing::Op reference = [&](const Tensors& t) {
      return joined(reference::token_logprob(t[0], t[1], targets, 0.7));
    };
    const testing::Op op = [&](const Tensors& t) {
      return joined(token_logprob(there(t[0]), there(t[1]), there(targets), 0.7));
    };
    const at::Tensor weights = testing::weights_like(reference(inputs));
    const auto exact = testing::differentiate(reference, inputs, at::kDouble, weights),
               naive = testing::differentiate(reference, inputs, at::kFloat, weights),
               result = testing::differentiate(op, inputs, at::kFloat, weights);
    testing::expect_within_twice(result.output, naive.output, exact.output, "output");
    for (int i = 0; i < 2; ++i)
      testing::expect_within_twice(result.gradients[i], naive.gradients[i], exact.gradients[i],
                                   "gradient");
  }
}

TEST_F(DecodingCudaOps, LogitsOf16BitHiddenStatesAreNotRounded) {
  at::manual_seed(4);
  const at::Tensor hidden = at::randn({7, 24}).to(at::kBFloat16),
                   head = at::randn({9001, 24}).to(at::kBFloat16),
                   targets = at::randint(9001, {7}, at::kLong);
  const at::Tensor exact =
      reference::token_logprob(hidden.to(at::kDouble), head.to(at::kDouble), targets, 1).logprob_T;
  const at::Tensor logprob =
      token_logprob(there(hidden), there(head), there(targets), 1).logprob_T.cpu();
  EXPECT_LE(testing::max_error(logprob, exact), 0x1p-20 * testing::max_abs(exact));
}

TEST_F(DecodingCudaOps, SampledTokensAreThoseOfTheCpu) {
  at::manual_seed(5);
  const at::Tensor logits = at::randn({9, 1003}) * 3;
  std::vector<double> uniforms;
  for (uint64_t row = 0; row < 9; ++row)
    uniforms.push_back(uniform(11, Stream::kTest, {0, row, 0, 0}));
  for (const SamplingFilter& filter :
       {SamplingFilter{1.0, 0, 1.0, 0.0}, SamplingFilter{0.8, 20, 0.95, 0.01},
        SamplingFilter{0.0, 0, 1.0, 0.0}}) {
    for (const at::ScalarType type : {at::kFloat, at::kBFloat16, at::kHalf}) {
      const at::Tensor stored = logits.to(type);
      const SampledTokens here = sample_token(stored, filter, uniforms),
                          seen = sample_token(there(stored), filter, uniforms);
      EXPECT_EQ(seen.token, here.token);
      for (size_t row = 0; row < 9; ++row) {
        const float tolerance = 0x1p-21f * (10 - here.logprob[row]);
        EXPECT_NEAR(seen.logprob[row], here.logprob[row], tolerance);
        EXPECT_NEAR(seen.filtered_logprob[row], here.filtered_logprob[row], tolerance);
        EXPECT_NEAR(seen.entropy[row], here.entropy[row], tolerance);
      }
    }
  }
}

TEST_F(DecodingCudaOps, RowThatNothingCanBeDrawnFromIsNamed) {
  at::Tensor logits = at::zeros({4, 10});
  logits[2][5] = std::nanf("");
  try {
    sample_token(there(logits), {}, {0, 0, 0, 0});
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("row 2 has NaN"), std::string::npos) << error.what();
  }
}

TEST_F(DecodingCudaOps, DecodeAttention) {
  at::manual_seed(6);
  const Tensors all = {at::randn({3, 4, 64}), at::randn({60, 16, 2, 64}),
                       at::randn({60, 16, 2, 64})};
  const at::Tensor table = at::randperm(60, at::kLong).view({3, 20}).to(at::kInt),
                   lengths = at::tensor({1, 300, 17}, at::kInt);
  for (const at::ScalarType type : {at::kFloat, at::kBFloat16}) {
    const at::Tensor q = all[0].to(type), k = all[1].to(type), v = all[2].to(type);
    const auto oracle = [&](at::ScalarType precision) {
      const PagedCache cache{k.to(precision), v.to(precision)};
      return reference::decode_attention(q.to(precision), cache, table, lengths, 0.125);
    };
    const at::Tensor seen =
        decode_attention(there(q), {there(k), there(v)}, there(table), there(lengths), 0.125);
    testing::expect_within_twice(seen.cpu(), oracle(at::kFloat).to(type), oracle(at::kDouble),
                                 "decode_attention");
  }
}

}  // namespace
}  // namespace covrl::kernels
