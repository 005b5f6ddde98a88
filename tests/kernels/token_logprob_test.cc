#include "kernels/token_logprob.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/variable.h>

#include <cmath>
#include <limits>

#include "core/error.h"
#include "kernels/cpu_isa.h"
#include "kernels/linear.h"
#include "kernels/mode.h"
#include "kernels/reference_logprob.h"
#include "kernels/softmax_row.h"
#include "tests/kernels/model_shape.h"
#include "tests/kernels/op_check.h"

// T tokens, D hidden size, V vocabulary.
namespace covrl::kernels {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

struct Shape {
  int64_t num_tokens, hidden_size, num_ids;
  double temperature;
};

void PrintTo(const Shape& shape, std::ostream* out) {
  *out << "T" << shape.num_tokens << "_D" << shape.hidden_size << "_V" << shape.num_ids << "_at"
       << shape.temperature;
}

struct Problem {
  at::Tensor hidden, head, targets, weight_logprob, weight_entropy;
};

Problem make_problem(const Shape& shape, uint64_t seed = 1) {
  at::manual_seed(seed);
  Problem problem;
  problem.hidden = at::randn({shape.num_tokens, shape.hidden_size});
  problem.head =
      at::randn({shape.num_ids, shape.hidden_size}) * (3 / std::sqrt(double(shape.hidden_size)));
  problem.targets = at::randint(shape.num_ids, {shape.num_tokens}, at::kLong);
  problem.weight_logprob = at::randn({shape.num_tokens});
  problem.weight_entropy = at::randn({shape.num_tokens});
  return problem;
}

struct Result {
  at::Tensor logprob, entropy, grad_hidden, grad_head;
};

using Scorer = TokenLogprob (*)(const at::Tensor&, const at::Tensor&, const at::Tensor&, double);

// Values and gradients of sum(weights * outputs) with inputs of type `type`.
Result run(Scorer scorer, const Problem& problem, double temperature, at::ScalarType type) {
  const at::Tensor hidden = problem.hidden.to(type).detach().clone().requires_grad_(true);
  const at::Tensor head = problem.head.to(type).detach().clone().requires_grad_(true);
  const TokenLogprob scored = scorer(hidden, head, problem.targets, temperature);
  const at::Tensor loss =
      (scored.logprob_T * problem.weight_logprob + scored.entropy_T * problem.weight_entropy).sum();
  const auto grads = torch::autograd::grad({loss}, {hidden, head});
  return {scored.logprob_T.detach(), scored.entropy_T.detach(), grads[0], grads[1]};
}

double max_error(const at::Tensor& value, const at::Tensor& exact) {
  return (value.to(at::kDouble) - exact).abs().max().item<double>();
}

// The kernel may be wrong by twice what the plain version in its own type is wrong, or half a unit
// of the output's rounding.
void expect_within_twice(const at::Tensor& value, const at::Tensor& naive, const at::Tensor& exact,
                         const char* name) {
  const double type_epsilon = value.scalar_type() == at::kBFloat16 ? 0x1p-8
                              : value.scalar_type() == at::kHalf   ? 0x1p-11
                                                                   : 0x1p-24;
  const double rounding = type_epsilon * exact.abs().max().item<double>();
  EXPECT_LE(max_error(value, exact), 2 * max_error(naive, exact) + rounding) << name;
}

// The output head as a layer of its own, whose logits and their gradient have the type of its
// inputs.
TokenLogprob head_then_logprob(const at::Tensor& hidden_TD, const at::Tensor& head_VD,
                               const at::Tensor& targets_T, double temperature) {
  return reference::token_logprob_from_logits(at::matmul(hidden_TD, head_VD.t()), targets_T,
                                              temperature);
}

class TokenLogprobShapes : public ::testing::TestWithParam<Shape> {};

TEST_P(TokenLogprobShapes, MatchesFloat64OracleAsCloselyAsPlainTorch) {
  const Problem problem = make_problem(GetParam());
  for (const at::ScalarType type : {at::kFloat, at::kBFloat16, at::kHalf}) {
    Problem rounded = problem;
    rounded.hidden = problem.hidden.to(type).to(at::kFloat);
    rounded.head = problem.head.to(type).to(at::kFloat);
    const Result exact =
        run(reference::token_logprob, rounded, GetParam().temperature, at::kDouble);
    const Result naive = run(reference::token_logprob, rounded, GetParam().temperature, type);
    const Result naive_layer = run(head_then_logprob, rounded, GetParam().temperature, type);
    const Result fast = run(token_logprob, rounded, GetParam().temperature, type);
    EXPECT_EQ(fast.logprob.scalar_type(), at::kFloat);
    EXPECT_EQ(fast.grad_hidden.scalar_type(), type);
    EXPECT_EQ(fast.grad_head.scalar_type(), type);
    expect_within_twice(fast.logprob, naive.logprob, exact.logprob, "logprob");
    expect_within_twice(fast.entropy, naive.entropy, exact.entropy, "entropy");
    expect_within_twice(fast.grad_hidden, naive_layer.grad_hidden, exact.grad_hidden,
                        "grad_hidden");
    expect_within_twice(fast.grad_head, naive_layer.grad_head, exact.grad_head, "grad_head");
  }
}

INSTANTIATE_TEST_SUITE_P(Shapes, TokenLogprobShapes,
                         ::testing::Values(Shape{1, 1, 1, 1.0}, Shape{1, 8, 2, 1.0},
                                           Shape{3, 5, 7, 0.6}, Shape{17, 13, 255, 1.0},
                                           Shape{5, 16, 256, 0.6}, Shape{31, 24, 257, 1.0},
                                           Shape{257, 7, 521, 0.6}, Shape{9, 12, 4099, 1.0},
                                           Shape{300, 3, 8209, 0.6},
                                           Shape{2, 3, model_shape::kVocabulary, 1.0}));

TEST(TokenLogprob, GradientMatchesFiniteDifferences) {
  const Problem problem = make_problem({3, 4, 9, 0.7});
  const Result analytic = run(token_logprob, problem, 0.7, at::kFloat);
  const auto loss_at = [&](const at::Tensor& hidden, const at::Tensor& head) {
    const TokenLogprob scored = reference::token_logprob(hidden, head, problem.targets, 0.7);
    return (scored.logprob_T * problem.weight_logprob + scored.entropy_T * problem.weight_entropy)
        .sum()
        .item<double>();
  };
  const at::Tensor hidden = problem.hidden.to(at::kDouble), head = problem.head.to(at::kDouble);
  const double step = 1e-5;
  const auto check = [&](const at::Tensor& input, const at::Tensor& gradient) {
    double* data = input.data_ptr<double>();
    for (int64_t i = 0; i < input.numel(); ++i) {
      const double kept = data[i];
      data[i] = kept + step;
      const double above = loss_at(hidden, head);
      data[i] = kept - step;
      const double below = loss_at(hidden, head);
      data[i] = kept;
      const double exact = (above - below) / (2 * step);
      EXPECT_NEAR(gradient.flatten()[i].item<float>(), exact, 0x1p-20 * (1 + std::abs(exact)));
    }
  };
  check(hidden, analytic.grad_hidden);
  check(head, analytic.grad_head);
}

TEST(TokenLogprob, OneOutputAloneHasItsGradient) {
  Problem problem = make_problem({5, 6, 300, 1.0});
  problem.weight_entropy.zero_();
  const Result both = run(token_logprob, problem, 1.0, at::kFloat);
  const at::Tensor hidden = problem.hidden.clone().requires_grad_(true);
  const TokenLogprob scored = token_logprob(hidden, problem.head, problem.targets, 1.0);
  const auto grads =
      torch::autograd::grad({(scored.logprob_T * problem.weight_logprob).sum()}, {hidden});
  EXPECT_TRUE(grads[0].equal(both.grad_hidden));
}

class TokenLogprobTypes : public ::testing::TestWithParam<at::ScalarType> {};
INSTANTIATE_TEST_SUITE_P(Types, TokenLogprobTypes, ::testing::Values(at::kFloat, at::kBFloat16));

void expect_same(const Result& a, const Result& b) {
  EXPECT_TRUE(a.logprob.equal(b.logprob));
  EXPECT_TRUE(a.entropy.equal(b.entropy));
  EXPECT_TRUE(a.grad_hidden.equal(b.grad_hidden));
  EXPECT_TRUE(a.grad_head.equal(b.grad_head));
}

TEST_P(TokenLogprobTypes, RowDoesNotDependOnItsBatchOrOnThreads) {
  const Shape shape{530, 24, 4500, 0.6};
  const Problem problem = make_problem(shape);
  const int threads = at::get_num_threads();
  at::set_num_threads(1);
  const Result whole = run(token_logprob, problem, shape.temperature, GetParam());
  at::set_num_threads(3);
  expect_same(run(token_logprob, problem, shape.temperature, GetParam()), whole);
  at::set_num_threads(threads);
  for (const auto& [begin, count] :
       {std::pair<int64_t, int64_t>{0, 1}, {1, 7}, {255, 3}, {400, 130}}) {
    Problem part = problem;
    part.hidden = problem.hidden.narrow(0, begin, count);
    part.targets = problem.targets.narrow(0, begin, count);
    part.weight_logprob = problem.weight_logprob.narrow(0, begin, count);
    part.weight_entropy = problem.weight_entropy.narrow(0, begin, count);
    const Result alone = run(token_logprob, part, shape.temperature, GetParam());
    EXPECT_TRUE(alone.logprob.equal(whole.logprob.narrow(0, begin, count))) << begin;
    EXPECT_TRUE(alone.entropy.equal(whole.entropy.narrow(0, begin, count))) << begin;
    EXPECT_TRUE(alone.grad_hidden.equal(whole.grad_hidden.narrow(0, begin, count))) << begin;
  }
}

TEST_P(TokenLogprobTypes, InstructionSetsAgreeInEveryBit) {
  const Problem problem = make_problem({37, 25, 1301, 0.6});
  const Isa last = testing::last_agreeing_isa(GetParam());
  set_isa(last);
  const Result agreed = run(token_logprob, problem, 0.6, GetParam());
  for (int isa = 0; isa < static_cast<int>(last); ++isa) {
    SCOPED_TRACE(isa);
    set_isa(static_cast<Isa>(isa));
    expect_same(run(token_logprob, problem, 0.6, GetParam()), agreed);
  }
  set_isa(best_isa());
}

TEST_P(TokenLogprobTypes, TilesHaveTheBitsOfWholeLogits) {
  const Problem problem = make_problem({37, 24, 9001, 0.6});
  const at::Tensor hidden = problem.hidden.to(GetParam()), head = problem.head.to(GetParam());
  const TokenLogprob tiled = token_logprob(hidden, head, problem.targets, 0.6);
  const TokenLogprob whole =
      token_logprob_from_logits(linear_float32(hidden, head), problem.targets, 0.6);
  EXPECT_TRUE(tiled.logprob_T.equal(whole.logprob_T));
  EXPECT_TRUE(tiled.entropy_T.equal(whole.entropy_T));
}

// Narrow logits are widened piece by piece: values and gradients are those of the whole widened,
// the gradients rounded to their type.
TEST(TokenLogprob, NarrowLogitsAreTheirFloat32) {
  at::manual_seed(6);
  const at::Tensor targets = at::randint(2500, {5}, at::kLong);
  for (const at::ScalarType type : {at::kBFloat16, at::kHalf}) {
    const at::Tensor narrow = (at::randn({5, 2500}) * 3).to(type).requires_grad_(true);
    const at::Tensor wide = narrow.detach().to(at::kFloat).requires_grad_(true);
    std::vector<at::Tensor> gradients;
    for (const at::Tensor& logits : {narrow, wide}) {
      const TokenLogprob scored = token_logprob_from_logits(logits, targets, 0.6);
      const at::Tensor total = (scored.logprob_T + scored.entropy_T).sum();
      gradients.push_back(torch::autograd::grad({total}, {logits})[0]);
      gradients.push_back(scored.logprob_T.detach());
    }
    EXPECT_EQ(gradients[0].scalar_type(), type);
    EXPECT_TRUE(gradients[0].equal(gradients[2].to(type)));
    EXPECT_TRUE(gradients[1].equal(gradients[3]));
  }
}

TEST(TokenLogprob, LogitsAtMinusInfinityContributeNothing) {
  at::manual_seed(3);
  const at::Tensor logits = at::randn({4, 600});
  const at::Tensor targets = at::tensor({1, 3, 5, 7}, at::kLong);
  const at::Tensor kept_ids = at::arange(1, 600, 2, at::kLong);
  at::Tensor masked = at::full_like(logits, -kInfinity);
  masked.index_copy_(1, kept_ids, logits.index_select(1, kept_ids));
  masked.requires_grad_(true);
  const at::Tensor exact_input =
      logits.index_select(1, kept_ids).to(at::kDouble).requires_grad_(true);
  const TokenLogprob scored = token_logprob_from_logits(masked, targets, 0.6);
  const TokenLogprob exact =
      reference::token_logprob_from_logits(exact_input, at::arange(4, at::kLong), 0.6);
  EXPECT_LT(max_error(scored.logprob_T, exact.logprob_T), 2e-6);
  EXPECT_LT(max_error(scored.entropy_T, exact.entropy_T), 2e-6);
  const auto grads = torch::autograd::grad({(scored.logprob_T + scored.entropy_T).sum()}, {masked});
  const auto exact_grads =
      torch::autograd::grad({(exact.logprob_T + exact.entropy_T).sum()}, {exact_input});
  EXPECT_LT(max_error(grads[0].index_select(1, kept_ids), exact_grads[0]), 1e-6);
  EXPECT_EQ(grads[0].index_select(1, at::arange(0, 600, 2, at::kLong)).abs().max().item<float>(),
            0);
}

TEST(TokenLogprob, NaNReachesTheResult) {
  at::Tensor logits = at::zeros({2, 300});
  logits[1][299] = std::nanf("");
  const TokenLogprob scored = token_logprob_from_logits(logits, at::zeros({2}, at::kLong), 1.0);
  EXPECT_TRUE(std::isfinite(scored.logprob_T[0].item<float>()));
  EXPECT_TRUE(std::isnan(scored.logprob_T[1].item<float>()));
}

TEST(TokenLogprob, ReferenceModeTakesTheOracle) {
  const Problem problem = make_problem({5, 6, 300, 1.0});
  set_mode(Mode::kReference);
  const TokenLogprob scored = token_logprob(problem.hidden, problem.head, problem.targets, 0.6);
  set_mode(Mode::kFast);
  const TokenLogprob oracle =
      reference::token_logprob(problem.hidden, problem.head, problem.targets, 0.6);
  EXPECT_TRUE(scored.logprob_T.equal(oracle.logprob_T));
  EXPECT_TRUE(scored.entropy_T.equal(oracle.entropy_T));
}

TEST(TokenLogprob, NoTokensGiveNoValues) {
  const TokenLogprob scored =
      token_logprob(at::zeros({0, 4}), at::zeros({5, 4}), at::zeros({0}, at::kLong), 1.0);
  EXPECT_EQ(scored.logprob_T.numel(), 0);
}

TEST_P(TokenLogprobTypes, NoTokensGiveZeroGradients) {
  const Result result = run(token_logprob, make_problem({0, 5, 300, 1}), 1, GetParam());
  EXPECT_EQ(result.grad_hidden.sizes(), (std::vector<int64_t>{0, 5}));
  EXPECT_TRUE(at::equal(result.grad_head, at::zeros_like(result.grad_head)));
}

TEST(TokenLogprob, ErrorsNameTheValueSeen) {
  const at::Tensor hidden = at::zeros({3, 4}), head = at::zeros({5, 4});
  const auto message = [](const at::Tensor& h, const at::Tensor& w, const at::Tensor& targets,
                          double temperature) {
    try {
      token_logprob(h, w, targets, temperature);
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string("no error");
  };
  const at::Tensor targets = at::tensor({0, 5, -1}, at::kLong);
  EXPECT_NE(message(hidden, head, targets, 1).find("targets[1] is 5, expected 0 .. 4"),
            std::string::npos);
  const at::Tensor good = at::zeros({3}, at::kLong);
  EXPECT_NE(message(hidden, head, good, 0).find("temperature is 0"), std::string::npos);
  EXPECT_NE(message(hidden, at::zeros({5, 3}), good, 1).find("[5, 3]"), std::string::npos);
  EXPECT_NE(message(hidden, head.to(at::kBFloat16), good, 1).find("BFloat16"), std::string::npos);
  EXPECT_NE(message(hidden, head, at::zeros({2}, at::kLong), 1).find("[2]"), std::string::npos);
  EXPECT_EQ(message(hidden, head, good, 1), "no error");
}

TEST(SoftmaxRow, PiecesOfARowGiveTheBitsOfTheWhole) {
  at::manual_seed(4);
  const at::Tensor logits = at::randn({5003}) * 4;
  const float* data = logits.const_data_ptr<float>();
  SoftmaxRow whole, pieces;
  fold_logits(whole, data, 5003, 1 / 0.6f);
  for (int64_t start = 0; start < 5003; start += 3 * kSoftmaxBlock)
    fold_logits(pieces, data + start, std::min<int64_t>(3 * kSoftmaxBlock, 5003 - start), 1 / 0.6f);
  EXPECT_EQ(pieces.max, whole.max);
  EXPECT_EQ(pieces.sum, whole.sum);
  EXPECT_EQ(pieces.sum_shifted, whole.sum_shifted);
}

TEST(SoftmaxRow, InstructionSetsAgreeInEveryBit) {
  at::manual_seed(5);
  const at::Tensor logits = at::randn({5003}) * 4;
  const float* data = logits.const_data_ptr<float>();
  const auto run_with = [&](Isa set) {
    set_isa(set);
    SoftmaxRow row;
    fold_logits(row, data, 5003, 1 / 0.6f);
    at::Tensor gradient = logits.clone();
    float* in_place = gradient.data_ptr<float>();
    softmax_gradient(in_place, 5003,
                     {row.max, static_cast<float>(row.log_sum()), static_cast<float>(row.entropy()),
                      1 / 0.6f, 0.3f, -0.7f},
                     in_place);
    return std::pair{row, gradient};
  };
  const auto [portable_row, portable_gradient] = run_with(Isa::kPortable);
  for (const Isa set : {Isa::kAvx2, Isa::kAvx512, Isa::kAvx512Bf16}) {
    if (set > best_isa()) continue;
    const auto [row, gradient] = run_with(set);
    EXPECT_EQ(row.sum, portable_row.sum);
    EXPECT_EQ(row.sum_shifted, portable_row.sum_shifted);
    EXPECT_TRUE(gradient.equal(portable_gradient));
  }
  set_isa(best_isa());
}

TEST(SoftmaxRow, WeightsAreWithinTwoUnitsInTheLastPlace) {
  const at::Tensor shifts = at::linspace(-86.9, 0, 100001, at::kFloat);
  std::vector<float> weights(shifts.numel());
  softmax_weights(shifts.const_data_ptr<float>(), shifts.numel(), 0, 1, weights.data());
  for (int64_t i = 0; i < shifts.numel(); ++i) {
    const double exact = std::exp(static_cast<double>(shifts.const_data_ptr<float>()[i]));
    ASSERT_NEAR(weights[i], exact, 2 * 0x1p-23 * exact);
  }
  const float extremes[] = {-kInfinity, -200, -87, std::nanf(""), 0};
  softmax_weights(extremes, 5, 0, 1, weights.data());
  EXPECT_EQ(weights[0], 0);
  EXPECT_EQ(weights[1], 0);
  EXPECT_EQ(weights[2], 0);
  EXPECT_TRUE(std::isnan(weights[3]));
  EXPECT_EQ(weights[4], 1);
}

}  // namespace
}  // namespace covrl::kernels
