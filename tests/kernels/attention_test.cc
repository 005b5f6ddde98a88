#include "kernels/attention.h"

#include <cmath>

#include "core/error.h"
#include "kernels/reference.h"
#include "tests/kernels/op_check.h"

// T tokens, Q query heads, H key heads, d head size, B sequences, P pages of S tokens.
namespace covrl::kernels {
namespace {

using testing::Tensors;

struct Shape {
  std::vector<int64_t> cu_seqlens;
  int64_t query_heads, key_heads, size;

  int64_t num_tokens() const { return cu_seqlens.back(); }
  double scale() const { return 1 / std::sqrt(static_cast<double>(size)); }
  Packing packing() const { return {cu_seqlens, at::kCPU}; }
};

void PrintTo(const Shape& shape, std::ostream* out) {
  *out << "T" << shape.num_tokens() << "_Q" << shape.query_heads << "_H" << shape.key_heads << "_d"
       << shape.size;
}

Tensors make_inputs(const Shape& shape) {
  at::manual_seed(shape.num_tokens() * 1009 + shape.size);
  const int64_t tokens = shape.num_tokens();
  return {at::randn({tokens, shape.query_heads, shape.size}) * 2,
          at::randn({tokens, shape.key_heads, shape.size}) * 2,
          at::randn({tokens, shape.key_heads, shape.size})};
}

testing::Op fast(const Shape& shape) {
  return [shape](const Tensors& x) {
    return attention(x[0], x[1], x[2], shape.packing(), shape.scale());
  };
}

testing::Op oracle(const Shape& shape) {
  return [shape](const Tensors& x) {
    return reference::attention(x[0], x[1], x[2], shape.cu_seqlens, shape.scale());
  };
}

class AttentionShapes : public ::testing::TestWithParam<Shape> {};

TEST_P(AttentionShapes, IsAsCloseToFloat64AsPlainTorch) {
  testing::expect_close_to_oracle(fast(GetParam()), oracle(GetParam()), make_inputs(GetParam()));
}

TEST_P(AttentionShapes, HasTheSameBitsOnAnyThreadsAndInstructionSet) {
  testing::expect_invariant(fast(GetParam()), make_inputs(GetParam()), at::kFloat);
}

TEST_P(AttentionShapes, SequenceAloneHasTheBitsItHasInTheBatch) {
  const Shape shape = GetParam();
  const Tensors inputs = make_inputs(shape);
  const at::Tensor weights = at::randn_like(inputs[0]);
  const auto whole = testing::differentiate(fast(shape), inputs, at::kFloat, weights);
  for (size_t n = 0; n + 1 < shape.cu_seqlens.size(); ++n) {
    const int64_t start = shape.cu_seqlens[n], length = shape.cu_seqlens[n + 1] - start;
    const Shape alone{{0, length}, shape.query_heads, shape.key_heads, shape.size};
    Tensors part;
    for (const at::Tensor& input : inputs) part.push_back(input.narrow(0, start, length));
    const auto result =
        testing::differentiate(fast(alone), part, at::kFloat, weights.narrow(0, start, length));
    testing::expect_same_bits(result.output, whole.output.narrow(0, start, length), "output");
    for (size_t i = 0; i < 3; ++i)
      testing::expect_same_bits(result.gradients[i], whole.gradients[i].narrow(0, start, length),
                                "gradient");
  }
}

// A cache whose pages are handed out in a scrambled order, and the block table of every sequence.
struct Cached {
  PagedCache cache;
  at::Tensor block_table;
};

Cached fill_cache(const Shape& shape, const Tensors& inputs, int64_t page_size,
                  at::ScalarType type) {
  const int64_t batch = static_cast<int64_t>(shape.cu_seqlens.size()) - 1;
  const int64_t max_pages = shape.num_tokens() / page_size + 1, num_pages = batch * max_pages;
  Cached cached;
  cached.cache.k_PSHd = at::full({num_pages, page_size, shape.key_heads, shape.size}, 9.0, type);
  cached.cache.v_PSHd = at::full_like(cached.cache.k_PSHd, -9.0);
  cached.block_table = at::randperm(num_pages, at::kLong).to(at::kInt).view({batch, max_pages});
  std::vector<int64_t> slots;
  for (int64_t n = 0; n < batch; ++n) {
    for (int64_t i = 0; i < shape.cu_seqlens[n + 1] - shape.cu_seqlens[n]; ++i)
      slots.push_back(cached.block_table[n][i / page_size].item<int64_t>() * page_size +
                      i % page_size);
  }
  write_cache(cached.cache, inputs[1].to(type), inputs[2].to(type), at::tensor(slots, at::kLong));
  return cached;
}

TEST_P(AttentionShapes, DecodedTokenHasTheBitsOfThePackedSequence) {
  const Shape shape = GetParam();
  const Tensors inputs = make_inputs(shape);
  for (const at::ScalarType type : {at::kFloat, at::kBFloat16}) {
    const at::Tensor q = inputs[0].to(type);
    const at::Tensor whole =
        attention(q, inputs[1].to(type), inputs[2].to(type), shape.packing(), shape.scale());
    const Cached cached = fill_cache(shape, inputs, 5, type);
    for (size_t n = 0; n + 1 < shape.cu_seqlens.size(); ++n) {
      const int64_t start = shape.cu_seqlens[n], length = shape.cu_seqlens[n + 1] - start;
      if (length == 0) continue;
      const at::Tensor table = cached.block_table.narrow(0, static_cast<int64_t>(n), 1)
                                   .expand({length, -1})
                                   .contiguous();
      const at::Tensor lengths = at::arange(1, length + 1, at::kInt);
      for (int isa = 0; isa <= static_cast<int>(best_isa()); ++isa) {
        set_isa(static_cast<Isa>(isa));
        const at::Tensor rows = decode_attention(q.narrow(0, start, length), cached.cache, table,
                                                 lengths, shape.scale());
        testing::expect_same_bits(rows, whole.narrow(0, start, length),
                                  "sequence " + std::to_string(n));
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Shapes, AttentionShapes,
                         ::testing::Values(Shape{{0, 1}, 1, 1, 1},
                                           Shape{{0, 3, 3, 4, 21}, 2, 1, 10},
                                           Shape{{0, 16, 33, 33}, 4, 2, 16},
                                           Shape{{0, 47, 48, 97}, 6, 2, 17},
                                           Shape{{0, 130, 131}, 4, 4, 33},
                                           Shape{{0, 5, 270}, 3, 1, 64}, Shape{{0, 61}, 2, 2, 128},
                                           Shape{{0, 19}, 1, 1, 300}, Shape{{0, 530}, 2, 1, 8}));

TEST(Attention, GradientsOfTheOracleMatchFiniteDifferences) {
  const Shape shape{{0, 3, 4, 4, 6}, 4, 2, 3};
  testing::expect_gradients_match_differences(oracle(shape), make_inputs(shape));
}

TEST(Attention, FirstTokenReturnsItsOwnValue) {
  const Shape shape{{0, 1, 5}, 2, 1, 6};
  const Tensors inputs = make_inputs(shape);
  const at::Tensor output = fast(shape)(inputs);
  EXPECT_TRUE(at::equal(output[0], inputs[2][0].expand({2, 6})));
  EXPECT_TRUE(at::equal(output[1], inputs[2][1].expand({2, 6})));
}

TEST(Attention, LargeScoresDoNotOverflow) {
  const Shape shape{{0, 40}, 1, 1, 8};
  Tensors inputs = make_inputs(shape);
  inputs[0] = inputs[0] * 1000;
  const at::Tensor output = fast(shape)(inputs);
  EXPECT_TRUE(at::allclose(output, oracle(shape)(inputs), 1e-4, 1e-4));
}

TEST(Attention, NoTokensGiveNoOutput) {
  const Shape shape{{0, 0}, 2, 1, 4};
  EXPECT_EQ(fast(shape)(make_inputs(shape)).numel(), 0);
}

TEST(Attention, DecodeMatchesItsOracle) {
  const Shape shape{{0, 13, 20, 21}, 6, 3, 12};
  const Tensors inputs = make_inputs(shape);
  const Cached cached = fill_cache(shape, inputs, 4, at::kFloat);
  const at::Tensor q = at::randn({3, 6, 12}), lengths = at::tensor({13, 7, 1}, at::kInt);
  const at::Tensor exact = reference::decode_attention(
      q.to(at::kDouble), {cached.cache.k_PSHd.to(at::kDouble), cached.cache.v_PSHd.to(at::kDouble)},
      cached.block_table, lengths, shape.scale());
  const at::Tensor output =
      decode_attention(q, cached.cache, cached.block_table, lengths, shape.scale());
  EXPECT_TRUE(at::allclose(output.to(at::kDouble), exact, 1e-5, 1e-6));
}

TEST(Attention, RefusesWhatDoesNotFit) {
  const at::Tensor q = at::zeros({4, 2, 3}), k = at::zeros({4, 1, 3});
  const Packing one({0, 4}, at::kCPU), shorter({0, 3}, at::kCPU);
  EXPECT_THROW(attention(q, k, k, shorter, 1), Error);
  EXPECT_THROW(attention(at::zeros({4, 3, 3}), at::zeros({4, 2, 3}), at::zeros({4, 2, 3}), one, 1),
               Error);
  EXPECT_THROW(attention(q, k, at::zeros({4, 1, 2}), one, 1), Error);
  EXPECT_THROW(attention(q, k.to(at::kBFloat16), k, one, 1), Error);
  EXPECT_THROW(attention(q, k, k, one, std::nan("")), Error);
}

TEST(Packing, HasTheEndsOfTheSequencesAndTheLongest) {
  const Packing packing({0, 3, 3, 8, 9}, at::kCPU);
  EXPECT_EQ(packing.longest, 5);
  EXPECT_TRUE(packing.cu_seqlens_there.equal(at::tensor({0, 3, 3, 8, 9}, at::kInt)));
  EXPECT_EQ(Packing({0}, at::kCPU).longest, 0);
}

TEST(Packing, RefusesOffsetsThatDoNotRise) {
  for (const std::vector<int64_t>& offsets :
       std::vector<std::vector<int64_t>>{{}, {1, 4}, {0, 3, 2, 4}})
    EXPECT_THROW(Packing(offsets, at::kCPU), Error) << offsets.size();
}

TEST(Attention, CacheRefusesWhatDoesNotFit) {
  PagedCache cache{at::zeros({2, 4, 1, 3}), at::zeros({2, 4, 1, 3})};
  const at::Tensor k = at::zeros({2, 1, 3}), q = at::zeros({1, 2, 3});
  EXPECT_THROW(write_cache(cache, k, k, at::tensor({0, 8}, at::kLong)), Error);
  EXPECT_THROW(write_cache(cache, k, k, at::tensor({0}, at::kLong)), Error);
  const at::Tensor table = at::tensor({0, 1}, at::kInt).view({1, 2});
  const auto decode = [&](const at::Tensor& block_table, int length) {
    return decode_attention(q, cache, block_table, at::full({1}, length, at::kInt), 1);
  };
  EXPECT_NO_THROW(decode(table, 8));
  EXPECT_THROW(decode(table, 9), Error);
  EXPECT_THROW(decode(table, 0), Error);
  EXPECT_THROW(decode(table + 1, 8), Error);
}

}  // namespace
}  // namespace covrl::kernels
