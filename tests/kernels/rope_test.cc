#include "kernels/rope.h"

#include <cmath>

#include "core/error.h"
#include "kernels/reference.h"
#include "tests/kernels/op_check.h"

// T tokens, H heads, d head size, P positions.
namespace covrl::kernels {
namespace {

using testing::Tensors;

struct Shape {
  int64_t tokens, heads, size;
};

void PrintTo(const Shape& shape, std::ostream* out) {
  *out << "T" << shape.tokens << "_H" << shape.heads << "_d" << shape.size;
}

struct Tables {
  at::Tensor cos, sin, positions;
};

Tables make_tables(const Shape& shape) {
  const int64_t num_positions = 50;
  const at::Tensor angle = at::arange(num_positions, at::kDouble).unsqueeze(1) *
                           at::pow(10000.0, at::arange(shape.size / 2, at::kDouble) *
                                                (-2.0 / static_cast<double>(shape.size)));
  return {angle.cos().to(at::kFloat), angle.sin().to(at::kFloat),
          at::arange(shape.tokens, at::kLong) * 7 % num_positions};
}

testing::Op op_of(const Shape& shape, bool fast) {
  const Tables tables = make_tables(shape);
  return [tables, fast](const Tensors& inputs) {
    const auto op = fast ? rope : reference::rope;
    return op(inputs[0], tables.cos, tables.sin, tables.positions);
  };
}

Tensors make_inputs(const Shape& shape) {
  at::manual_seed(shape.tokens * 1009 + shape.size);
  return {at::randn({shape.tokens, shape.heads, shape.size})};
}

class RopeShapes : public ::testing::TestWithParam<Shape> {};

TEST_P(RopeShapes, IsAsCloseToFloat64AsPlainTorch) {
  testing::expect_close_to_oracle(op_of(GetParam(), true), op_of(GetParam(), false),
                                  make_inputs(GetParam()));
}

TEST_P(RopeShapes, HasTheSameBitsOnAnyThreadsAndInstructionSet) {
  testing::expect_invariant(op_of(GetParam(), true), make_inputs(GetParam()), at::kFloat);
}

INSTANTIATE_TEST_SUITE_P(Shapes, RopeShapes,
                         ::testing::Values(Shape{1, 1, 2}, Shape{3, 2, 10}, Shape{5, 3, 32},
                                           Shape{130, 4, 64}, Shape{67, 7, 34}, Shape{9, 2, 128}));

TEST(Rope, GradientsOfTheOracleMatchFiniteDifferences) {
  testing::expect_gradients_match_differences(op_of({3, 2, 6}, false), make_inputs({3, 2, 6}));
}

TEST(Rope, TokenAloneHasTheBitsItHasInTheBatch) {
  const Shape shape{21, 3, 24};
  const Tables tables = make_tables(shape);
  const at::Tensor x = make_inputs(shape)[0],
                   whole = rope(x, tables.cos, tables.sin, tables.positions);
  for (int64_t t = 0; t < 21; t += 4)
    testing::expect_same_bits(
        rope(x.narrow(0, t, 1), tables.cos, tables.sin, tables.positions.narrow(0, t, 1)),
        whole.narrow(0, t, 1), "token");
}

TEST(Rope, RotatesPairsOfTheTwoHalves) {
  const at::Tensor x = at::tensor({1.0f, 2.0f, 3.0f, 4.0f}).view({1, 1, 4});
  const at::Tensor cos = at::tensor({0.0f, 1.0f}).view({1, 2}),
                   sin = at::tensor({1.0f, 0.0f}).view({1, 2});
  const at::Tensor y = rope(x, cos, sin, at::zeros({1}, at::kLong));
  EXPECT_TRUE(at::equal(y.flatten(), at::tensor({-3.0f, 2.0f, 1.0f, 4.0f})));
}

TEST(Rope, RefusesWhatDoesNotFit) {
  const at::Tensor x = at::zeros({2, 1, 4}), table = at::zeros({3, 2}),
                   positions = at::zeros({2}, at::kLong);
  EXPECT_THROW(rope(at::zeros({2, 1, 3}), table, table, positions), Error);
  EXPECT_THROW(rope(x, at::zeros({3, 4}), table, positions), Error);
  EXPECT_THROW(rope(x, table, at::zeros({2, 2}), positions), Error);
  EXPECT_THROW(rope(x, table, table, positions.to(at::kInt)), Error);
  EXPECT_THROW(rope(x, table, table, positions + 3), Error);
  EXPECT_THROW(rope(x, table, table, positions - 1), Error);
}

}  // namespace
}  // namespace covrl::kernels
