#include "kernels/rms_norm.h"

#include "core/error.h"
#include "kernels/reference.h"
#include "tests/kernels/op_check.h"

// T tokens, D width.
namespace covrl::kernels {
namespace {

using testing::Tensors;

constexpr double kEps = 1e-6;

struct Shape {
  int64_t tokens, width;
};

void PrintTo(const Shape& shape, std::ostream* out) {
  *out << "T" << shape.tokens << "_D" << shape.width;
}

Tensors make_inputs(const Shape& shape) {
  at::manual_seed(shape.tokens * 1009 + shape.width);
  return {at::randn({shape.tokens, shape.width}) * 3, at::randn({shape.width}) + 1};
}

at::Tensor fast(const Tensors& inputs) { return rms_norm(inputs[0], inputs[1], kEps); }
at::Tensor oracle(const Tensors& inputs) { return reference::rms_norm(inputs[0], inputs[1], kEps); }

class RmsNormShapes : public ::testing::TestWithParam<Shape> {};

TEST_P(RmsNormShapes, IsAsCloseToFloat64AsPlainTorch) {
  testing::expect_close_to_oracle(fast, oracle, make_inputs(GetParam()));
}

TEST_P(RmsNormShapes, HasTheSameBitsOnAnyThreadsAndInstructionSet) {
  testing::expect_invariant(fast, make_inputs(GetParam()), at::kFloat);
  testing::expect_invariant(fast, make_inputs(GetParam()), at::kBFloat16);
}

TEST_P(RmsNormShapes, RowAloneHasTheBitsItHasInTheBatch) {
  const Tensors inputs = make_inputs(GetParam());
  const at::Tensor whole = fast(inputs);
  for (int64_t row = 0; row < whole.size(0); row += 7)
    testing::expect_same_bits(fast({inputs[0].narrow(0, row, 1), inputs[1]}),
                              whole.narrow(0, row, 1), "row");
}

INSTANTIATE_TEST_SUITE_P(Shapes, RmsNormShapes,
                         ::testing::Values(Shape{1, 1}, Shape{3, 2}, Shape{5, 15}, Shape{17, 16},
                                           Shape{4, 17}, Shape{255, 33}, Shape{257, 128},
                                           Shape{1100, 31}, Shape{19, 1021}));

TEST(RmsNorm, GradientsOfTheOracleMatchFiniteDifferences) {
  testing::expect_gradients_match_differences(oracle, make_inputs({3, 5}));
}

TEST(RmsNorm, Bfloat16RoundsTheNormalisedValueBeforeTheWeight) {
  const Tensors inputs = make_inputs({11, 40});
  const at::Tensor x = inputs[0].to(at::kBFloat16), weight = inputs[1].to(at::kBFloat16);
  const at::Tensor wide = x.to(at::kDouble);
  const at::Tensor normalised =
      (wide / (wide.square().mean(-1, true) + kEps).sqrt()).to(at::kFloat).to(at::kBFloat16);
  testing::expect_same_bits(rms_norm(x, weight, kEps), normalised * weight, "bfloat16");
}

TEST(RmsNorm, ZeroRowStaysZero) {
  EXPECT_TRUE(at::equal(rms_norm(at::zeros({2, 20}), at::ones({20}), kEps), at::zeros({2, 20})));
}

TEST(RmsNorm, WithAResidualIsThatOfTheSumWhichItReturns) {
  for (const at::ScalarType type : {at::kFloat, at::kBFloat16}) {
    const Tensors inputs = make_inputs({9, 37});
    const at::Tensor x = inputs[0].to(type), residual = (inputs[0].flip(0) / 3).to(type),
                     weight = inputs[1].to(type);
    const ResidualNorm seen = rms_norm_residual(x, residual, weight, kEps);
    testing::expect_same_bits(seen.sum_TD, x + residual, "sum");
    testing::expect_same_bits(seen.y_TD, rms_norm(x + residual, weight, kEps), "y");
  }
}

TEST(RmsNorm, ResidualGetsTheGradientsOfSumAndNorm) {
  Tensors inputs = make_inputs({3, 5});
  inputs.push_back(at::randn({3, 5}));
  testing::expect_gradients_match_differences(
      [](const Tensors& t) {
        const ResidualNorm result = rms_norm_residual(t[0], t[2], t[1], kEps);
        return result.y_TD + 2 * result.sum_TD;
      },
      inputs);
}

TEST(RmsNorm, RefusesWhatDoesNotFit) {
  EXPECT_THROW(rms_norm_residual(at::zeros({2, 3}), at::zeros({2, 4}), at::zeros({3}), kEps),
               Error);
  EXPECT_THROW(rms_norm(at::zeros({2, 3}), at::zeros({4}), kEps), Error);
  EXPECT_THROW(rms_norm(at::zeros({2, 3, 4}), at::zeros({4}), kEps), Error);
  EXPECT_THROW(rms_norm(at::zeros({2, 3}), at::zeros({3}, at::kBFloat16), kEps), Error);
  EXPECT_THROW(rms_norm(at::zeros({2, 3}), at::zeros({3}), -1), Error);
  EXPECT_THROW(rms_norm(at::zeros({2, 0}), at::zeros({0}), kEps), Error);
}

}  // namespace
}  // namespace covrl::kernels
