#include "kernels/linear.h"

#include "core/error.h"
#include "kernels/reference.h"
#include "tests/kernels/op_check.h"

// T tokens, K inputs, N outputs.
namespace covrl::kernels {
namespace {

using testing::Tensors;

struct Shape {
  int64_t tokens, inputs, outputs;
};

void PrintTo(const Shape& shape, std::ostream* out) {
  *out << "T" << shape.tokens << "_K" << shape.inputs << "_N" << shape.outputs;
}

Tensors make_inputs(const Shape& shape) {
  at::manual_seed(shape.tokens * 1000003 + shape.inputs * 1009 + shape.outputs);
  return {at::randn({shape.tokens, shape.inputs}), at::randn({shape.outputs, shape.inputs}),
          at::randn({shape.outputs})};
}

at::Tensor fast(const Tensors& inputs) { return linear(inputs[0], inputs[1], inputs[2]); }
at::Tensor oracle(const Tensors& inputs) {
  return reference::linear(inputs[0], inputs[1], inputs[2]);
}

class LinearShapes : public ::testing::TestWithParam<Shape> {};

TEST_P(LinearShapes, IsAsCloseToFloat64AsPlainTorch) {
  testing::expect_close_to_oracle(fast, oracle, make_inputs(GetParam()));
}

TEST_P(LinearShapes, HasTheSameBitsOnAnyThreadsAndInstructionSet) {
  testing::expect_invariant(fast, make_inputs(GetParam()), at::kFloat);
  testing::expect_invariant(fast, make_inputs(GetParam()), at::kBFloat16);
}

void expect_rows_alone_as_in_batch(const Tensors& inputs,
                                   at::Tensor (*multiply)(const Tensors& inputs)) {
  const at::Tensor whole = multiply(inputs);
  for (int64_t start = 0, count = 1; start < whole.size(0);
       start += count, count = count % 17 + 3) {
    count = std::min(count, whole.size(0) - start);
    const at::Tensor part = multiply({inputs[0].narrow(0, start, count), inputs[1], inputs[2]});
    testing::expect_same_bits(part, whole.narrow(0, start, count),
                              "rows from " + std::to_string(start));
  }
}

TEST_P(LinearShapes, RowAloneHasTheBitsItHasInTheBatch) {
  Tensors inputs = make_inputs(GetParam());
  expect_rows_alone_as_in_batch(inputs, fast);
  for (at::Tensor& input : inputs) input = input.to(at::kBFloat16);
  expect_rows_alone_as_in_batch(
      inputs, [](const Tensors& inputs) { return linear_float32(inputs[0], inputs[1]); });
}

INSTANTIATE_TEST_SUITE_P(Shapes, LinearShapes,
                         ::testing::Values(Shape{1, 1, 1}, Shape{5, 6, 1}, Shape{1, 16, 16},
                                           Shape{1, 17, 15}, Shape{2, 3, 5}, Shape{7, 31, 33},
                                           Shape{12, 128, 32}, Shape{13, 255, 31},
                                           Shape{16, 128, 512}, Shape{25, 257, 65},
                                           Shape{3, 576, 70}, Shape{64, 96, 47}, Shape{131, 64, 97},
                                           Shape{515, 37, 129}, Shape{300, 521, 600}));

TEST(Linear, GradientsOfTheOracleMatchFiniteDifferences) {
  testing::expect_gradients_match_differences(oracle, make_inputs({3, 5, 4}));
}

TEST(Linear, GradientOfARowDoesNotDependOnTheBatch) {
  const Tensors inputs = make_inputs({37, 128, 96});
  const at::Tensor weights = at::randn({37, 96});
  const auto whole = testing::differentiate(fast, inputs, at::kFloat, weights);
  for (const int64_t row : {0, 5, 36}) {
    const Tensors alone = {inputs[0].narrow(0, row, 1), inputs[1], inputs[2]};
    const auto part = testing::differentiate(fast, alone, at::kFloat, weights.narrow(0, row, 1));
    testing::expect_same_bits(part.gradients[0], whole.gradients[0].narrow(0, row, 1),
                              "row " + std::to_string(row));
  }
}

TEST(Linear, WorksWithoutBiasAndOnNoTokens) {
  const Tensors inputs = make_inputs({9, 24, 20});
  const at::Tensor zero_bias = kernels::linear(inputs[0], inputs[1], at::zeros({20}));
  EXPECT_TRUE(at::equal(kernels::linear(inputs[0], inputs[1]), zero_bias));
  EXPECT_EQ(kernels::linear(at::empty({0, 24}), inputs[1]).sizes(), at::IntArrayRef({0, 20}));
}

TEST(Linear, AcceptsViewsThatAreNotContiguous) {
  const Tensors inputs = make_inputs({9, 24, 20});
  const at::Tensor x = inputs[0].t().contiguous().t(), weight = inputs[1].t().contiguous().t();
  testing::expect_same_bits(kernels::linear(x, weight, inputs[2]), fast(inputs),
                            "transposed storage");
}

TEST(Linear, InFloat32IsTheOutputBeforeItIsRounded) {
  const Tensors inputs = make_inputs({9, 25, 20});
  for (const at::ScalarType type : {at::kFloat, at::kBFloat16, at::kHalf}) {
    const at::Tensor x = inputs[0].to(type), weight = inputs[1].to(type);
    const at::Tensor y = linear_float32(x, weight);
    EXPECT_EQ(y.scalar_type(), at::kFloat);
    testing::expect_same_bits(y.to(type), kernels::linear(x, weight), "rounded");
  }
}

TEST(Linear, ReferenceModeUsesTheOracle) {
  const Tensors inputs = make_inputs({5, 300, 7});
  set_mode(Mode::kReference);
  const at::Tensor y = fast(inputs);
  set_mode(Mode::kFast);
  testing::expect_same_bits(y, oracle(inputs), "reference mode");
}

TEST(Linear, RefusesWhatDoesNotFit) {
  const at::Tensor x = at::zeros({2, 3}), weight = at::zeros({4, 3});
  EXPECT_THROW(kernels::linear(x, at::zeros({4, 2})), Error);
  EXPECT_THROW(kernels::linear(x, weight.to(at::kBFloat16)), Error);
  EXPECT_THROW(kernels::linear(at::zeros({3}), weight), Error);
  EXPECT_THROW(kernels::linear(x, weight, at::zeros({3})), Error);
  EXPECT_THROW(kernels::linear(x.to(at::kInt), weight.to(at::kInt)), Error);
}

}  // namespace
}  // namespace covrl::kernels
