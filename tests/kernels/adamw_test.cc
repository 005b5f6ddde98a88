#include "kernels/adamw.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include <cmath>

#include "core/error.h"
#include "kernels/cpu_isa.h"
#include "kernels/reference_logprob.h"

namespace covrl::kernels {
namespace {

struct State {
  at::Tensor param, grad, exp_avg, exp_avg_sq;
};

State make_state(int64_t count) {
  at::manual_seed(7);
  return {at::randn({count}), at::randn({count}), at::randn({count}) * 0.1,
          at::rand({count}) * 0.1};
}

State copy(const State& state, at::ScalarType type) {
  const auto one = [type](const at::Tensor& x) {
    return x.to(type, /*non_blocking=*/false, /*copy=*/true);
  };
  return {one(state.param), one(state.grad), one(state.exp_avg), one(state.exp_avg_sq)};
}

// The update as arXiv 1711.05101 and torch.optim.AdamW define it, on one element, in double.
struct Element {
  double param, exp_avg, exp_avg_sq;
};
Element restated(Element x, double grad, const AdamwStep& step) {
  grad *= step.grad_scale;
  x.param -= step.lr * step.weight_decay * x.param;
  x.exp_avg = step.beta1 * x.exp_avg + (1 - step.beta1) * grad;
  x.exp_avg_sq = step.beta2 * x.exp_avg_sq + (1 - step.beta2) * grad * grad;
  const double average = x.exp_avg / (1 - std::pow(step.beta1, step.step));
  const double average_sq = x.exp_avg_sq / (1 - std::pow(step.beta2, step.step));
  x.param -= step.lr * average / (std::sqrt(average_sq) + step.eps);
  return x;
}

double max_error(const at::Tensor& value, const at::Tensor& exact) {
  return (value.to(at::kDouble) - exact).abs().max().item<double>();
}

class AdamwSizes : public ::testing::TestWithParam<int64_t> {};

TEST_P(AdamwSizes, FollowsTheDefinition) {
  for (const AdamwStep& step : {AdamwStep{1e-2, 0.9, 0.999, 1e-8, 0.1, 1.0, 1},
                                AdamwStep{1e-6, 0.9, 0.95, 1e-8, 0.0, 0.37, 1000}}) {
    const State start = make_state(GetParam());
    State exact = copy(start, at::kDouble), naive = copy(start, at::kFloat),
          fast = copy(start, at::kFloat);
    for (int64_t i = 0; i < GetParam(); ++i) {
      const Element after =
          restated({exact.param[i].item<double>(), exact.exp_avg[i].item<double>(),
                    exact.exp_avg_sq[i].item<double>()},
                   exact.grad[i].item<double>(), step);
      exact.param[i] = after.param;
      exact.exp_avg[i] = after.exp_avg;
      exact.exp_avg_sq[i] = after.exp_avg_sq;
    }
    reference::adamw(naive.param, naive.grad, naive.exp_avg, naive.exp_avg_sq, step);
    adamw(fast.param, fast.grad, fast.exp_avg, fast.exp_avg_sq, step);
    const double unit = 0x1p-24;
    EXPECT_LE(max_error(fast.param, exact.param), 2 * max_error(naive.param, exact.param) + unit);
    EXPECT_LE(max_error(fast.exp_avg, exact.exp_avg),
              2 * max_error(naive.exp_avg, exact.exp_avg) + unit);
    EXPECT_LE(max_error(fast.exp_avg_sq, exact.exp_avg_sq),
              2 * max_error(naive.exp_avg_sq, exact.exp_avg_sq) + unit);
    EXPECT_TRUE(fast.grad.equal(start.grad));
  }
}

INSTANTIATE_TEST_SUITE_P(Sizes, AdamwSizes, ::testing::Values(1, 7, 16, 17, 521));

TEST(Adamw, ResultDoesNotDependOnThreadsOrPieces) {
  const AdamwStep step{1e-3, 0.9, 0.999, 1e-8, 0.01, 0.5, 3};
  const int64_t count = 100003;
  const State start = make_state(count);
  const int threads = at::get_num_threads();
  State one = copy(start, at::kFloat), many = copy(start, at::kFloat),
        pieces = copy(start, at::kFloat);
  at::set_num_threads(1);
  adamw(one.param, one.grad, one.exp_avg, one.exp_avg_sq, step);
  at::set_num_threads(3);
  adamw(many.param, many.grad, many.exp_avg, many.exp_avg_sq, step);
  at::set_num_threads(threads);
  for (const auto& [begin, size] :
       {std::pair<int64_t, int64_t>{0, 33333}, {33333, count - 33333}}) {
    at::Tensor param = pieces.param.narrow(0, begin, size);
    at::Tensor exp_avg = pieces.exp_avg.narrow(0, begin, size),
               exp_avg_sq = pieces.exp_avg_sq.narrow(0, begin, size);
    adamw(param, pieces.grad.narrow(0, begin, size), exp_avg, exp_avg_sq, step);
  }
  EXPECT_TRUE(many.param.equal(one.param));
  EXPECT_TRUE(pieces.param.equal(one.param));
  EXPECT_TRUE(pieces.exp_avg_sq.equal(one.exp_avg_sq));
}

TEST(Adamw, InstructionSetsAgreeInEveryBit) {
  const AdamwStep step{1e-3, 0.9, 0.999, 1e-8, 0.01, 0.5, 3};
  const State start = make_state(1013);
  State portable = copy(start, at::kFloat), widest = copy(start, at::kFloat);
  set_isa(Isa::kPortable);
  adamw(portable.param, portable.grad, portable.exp_avg, portable.exp_avg_sq, step);
  set_isa(best_isa());
  adamw(widest.param, widest.grad, widest.exp_avg, widest.exp_avg_sq, step);
  EXPECT_TRUE(widest.param.equal(portable.param));
  EXPECT_TRUE(widest.exp_avg.equal(portable.exp_avg));
  EXPECT_TRUE(widest.exp_avg_sq.equal(portable.exp_avg_sq));
}

TEST(Adamw, ZeroGradientOnlyDecays) {
  State state = make_state(64);
  const at::Tensor before = state.param.clone();
  state.grad.zero_();
  state.exp_avg.zero_();
  state.exp_avg_sq.zero_();
  adamw(state.param, state.grad, state.exp_avg, state.exp_avg_sq,
        {0.5, 0.9, 0.999, 1e-8, 0.25, 1.0, 1});
  EXPECT_TRUE(state.param.equal(before * 0.875f));
}

TEST(Adamw, RefusesBuffersThatDoNotFit) {
  State state = make_state(8);
  at::Tensor short_buffer = at::zeros({7}), wrong_type = at::zeros({8}, at::kDouble);
  EXPECT_THROW(adamw(state.param, short_buffer, state.exp_avg, state.exp_avg_sq, {}), Error);
  EXPECT_THROW(adamw(state.param, state.grad, wrong_type, state.exp_avg_sq, {}), Error);
  AdamwStep before_first;
  before_first.step = 0;
  EXPECT_THROW(adamw(state.param, state.grad, state.exp_avg, state.exp_avg_sq, before_first),
               Error);
}

}  // namespace
}  // namespace covrl::kernels
