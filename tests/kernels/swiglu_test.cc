#include "kernels/swiglu.h"

#include <cmath>
#include <limits>

#include "core/error.h"
#include "kernels/reference.h"
#include "tests/kernels/op_check.h"

// T tokens, F width.
namespace covrl::kernels {
namespace {

using testing::Tensors;

struct Shape {
  int64_t tokens, width;
};

void PrintTo(const Shape& shape, std::ostream* out) {
  *out << "T" << shape.tokens << "_F" << shape.width;
}

Tensors make_inputs(const Shape& shape) {
  at::manual_seed(shape.tokens * 1009 + shape.width);
  return {at::randn({shape.tokens, shape.width}) * 4, at::randn({shape.tokens, shape.width})};
}

at::Tensor fast(const Tensors& inputs) { return swiglu(inputs[0], inputs[1]); }
at::Tensor oracle(const Tensors& inputs) { return reference::swiglu(inputs[0], inputs[1]); }

class SwigluShapes : public ::testing::TestWithParam<Shape> {};

TEST_P(SwigluShapes, IsAsCloseToFloat64AsPlainTorch) {
  testing::expect_close_to_oracle(fast, oracle, make_inputs(GetParam()));
}

TEST_P(SwigluShapes, HasTheSameBitsOnAnyThreadsAndInstructionSet) {
  testing::expect_invariant(fast, make_inputs(GetParam()), at::kFloat);
}

TEST_P(SwigluShapes, RowAloneHasTheBitsItHasInTheBatch) {
  const Tensors inputs = make_inputs(GetParam());
  const at::Tensor whole = fast(inputs);
  for (int64_t row = 0; row < whole.size(0); row += 5)
    testing::expect_same_bits(fast({inputs[0].narrow(0, row, 1), inputs[1].narrow(0, row, 1)}),
                              whole.narrow(0, row, 1), "row");
}

INSTANTIATE_TEST_SUITE_P(Shapes, SwigluShapes,
                         ::testing::Values(Shape{1, 1}, Shape{2, 15}, Shape{1, 16}, Shape{3, 17},
                                           Shape{127, 347}));

TEST(Swiglu, GradientsOfTheOracleMatchFiniteDifferences) {
  testing::expect_gradients_match_differences(oracle, make_inputs({3, 5}));
}

// Relative error of exp over its whole range, seen through silu: 1 / silu(x) - 1 / x = exp(-x) / x.
TEST(Swiglu, IsAccurateElementwiseOverTheWholeRange) {
  const at::Tensor gate = at::linspace(-80, 80, 100003).unsqueeze(0);
  const at::Tensor exact = at::silu(gate.to(at::kDouble));
  const at::Tensor relative =
      ((swiglu(gate, at::ones_like(gate)).to(at::kDouble) - exact) / exact).abs();
  EXPECT_LE(relative.nan_to_num(0).max().item<double>(), 3.5 * 0x1p-23);
}

TEST(Swiglu, ExtremeGatesSaturateAndNanStaysNan) {
  const float infinity = std::numeric_limits<float>::infinity();
  const at::Tensor gate =
      at::tensor({-1e4f, -200.0f, 200.0f, 1e30f, infinity, std::nanf("")}).unsqueeze(0);
  const at::Tensor y = swiglu(gate, at::ones_like(gate))[0];
  EXPECT_NEAR(y[0].item<float>(), 0, 1e-30);
  EXPECT_NEAR(y[1].item<float>(), 0, 1e-30);
  EXPECT_EQ(y[2].item<float>(), 200);
  EXPECT_EQ(y[3].item<float>(), 1e30f);
  EXPECT_EQ(y[4].item<float>(), infinity);
  EXPECT_TRUE(std::isnan(y[5].item<float>()));
}

TEST(Swiglu, RefusesWhatDoesNotFit) {
  EXPECT_THROW(swiglu(at::zeros({2, 3}), at::zeros({2, 4})), Error);
  EXPECT_THROW(swiglu(at::zeros({2, 3}), at::zeros({2, 3}, at::kBFloat16)), Error);
  EXPECT_THROW(swiglu(at::zeros({6}), at::zeros({6})), Error);
}

}  // namespace
}  // namespace covrl::kernels
