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

RopePlaces make_places(const Shape& shape) {
  const int64_t num_positions = 50;
  const at::Tensor angle = at::arange(num_positions, at::kDouble).unsqueeze(1) *
                           at::pow(10000.0, at::arange(shape.size / 2, at::kDouble) *
                                                (-2.0 / static_cast<double>(shape.size)));
  return {angle.cos().to(at::kFloat), angle.sin().to(at::kFloat),
          at::arange(shape.tokens, at::kLong) * 7 % num_positions};
}

testing::Op op_of(const Shape& shape, bool fast) {
  const RopePlaces places = make_places(shape);
  return [places, fast](const Tensors& inputs) {
    const auto op = fast ? rope : reference::rope;
    return op(inputs[0], places);
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
  const RopePlaces places = make_places(shape);
  const at::Tensor x = make_inputs(shape)[0], whole = rope(x, places);
  for (int64_t t = 0; t < 21; t += 4) {
    const RopePlaces place = {places.cos_Pd, places.sin_Pd, places.positions_T.narrow(0, t, 1)};
    testing::expect_same_bits(rope(x.narrow(0, t, 1), place), whole.narrow(0, t, 1), "token");
  }
}

TEST(Rope, RotatesPairsOfTheTwoHalves) {
  const at::Tensor x = at::tensor({1.0f, 2.0f, 3.0f, 4.0f}).view({1, 1, 4});
  const at::Tensor cos = at::tensor({0.0f, 1.0f}).view({1, 2}),
                   sin = at::tensor({1.0f, 0.0f}).view({1, 2});
  const at::Tensor y = rope(x, {cos, sin, at::zeros({1}, at::kLong)});
  EXPECT_TRUE(at::equal(y.flatten(), at::tensor({-3.0f, 2.0f, 1.0f, 4.0f})));
}

TEST(Rope, IntoCacheIsRotationThenWriting) {
  const Shape shape{7, 2, 6};
  const RopePlaces places = make_places(shape);
  const at::Tensor k = make_inputs(shape)[0], v = k + 1,
                   slots = at::tensor({11, 0, 3, 8, 5, 2, 7}, at::kLong);
  PagedCache seen{at::full({4, 3, 2, 6}, 9.0), at::full({4, 3, 2, 6}, 9.0)};
  PagedCache expected{seen.k_PSHd.clone(), seen.v_PSHd.clone()};
  rope_into_cache(seen, k, v, slots, places);
  write_cache(expected, rope(k, places), v, slots);
  testing::expect_same_bits(seen.k_PSHd, expected.k_PSHd, "k");
  testing::expect_same_bits(seen.v_PSHd, expected.v_PSHd, "v");
  EXPECT_THROW(rope_into_cache(seen, k, v, slots + 1, places), Error);
}

TEST(Rope, RefusesWhatDoesNotFit) {
  const at::Tensor x = at::zeros({2, 1, 4}), table = at::zeros({3, 2}),
                   positions = at::zeros({2}, at::kLong);
  EXPECT_THROW(rope(at::zeros({2, 1, 3}), {table, table, positions}), Error);
  EXPECT_THROW(rope(x, {at::zeros({3, 4}), table, positions}), Error);
  EXPECT_THROW(rope(x, {table, at::zeros({2, 2}), positions}), Error);
  EXPECT_THROW(rope(x, {table, table, positions.to(at::kInt)}), Error);
  EXPECT_THROW(rope(x, {table, table, positions + 3}), Error);
  EXPECT_THROW(rope(x, {table, table, positions - 1}), Error);
}

}  // namespace
}  // namespace covrl::kernels
