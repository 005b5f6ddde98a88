#include "kernels/adamw.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "kernels/cpu_isa.h"
#include "kernels/mode.h"
#include "kernels/reference_logprob.h"

namespace covrl::kernels {
namespace {

using State = AdamwTensors;

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
    adamw(fast, step);
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
  adamw(one, step);
  at::set_num_threads(3);
  adamw(many, step);
  at::set_num_threads(threads);
  for (const auto& [begin, size] :
       {std::pair<int64_t, int64_t>{0, 33333}, {33333, count - 33333}}) {
    adamw({pieces.param.narrow(0, begin, size), pieces.grad.narrow(0, begin, size),
           pieces.exp_avg.narrow(0, begin, size), pieces.exp_avg_sq.narrow(0, begin, size)},
          step);
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
  adamw(portable, step);
  set_isa(best_isa());
  adamw(widest, step);
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
  adamw(state, {0.5, 0.9, 0.999, 1e-8, 0.25, 1.0, 1});
  EXPECT_TRUE(state.param.equal(before * 0.875f));
}

TEST(Adamw, WeightsAreTheRoundedMasterCopy) {
  const AdamwStep step{1e-3, 0.9, 0.999, 1e-8, 0.01, 0.5, 3};
  for (const at::ScalarType type : {at::kBFloat16, at::kHalf}) {
    for (const int64_t count : {1, 17, 40001}) {
      State alone = make_state(count), with = copy(alone, at::kFloat);
      with.weights = at::zeros({count}, type);
      adamw(alone, step);
      adamw(with, step);
      EXPECT_TRUE(with.param.equal(alone.param));
      EXPECT_TRUE(with.weights.equal(alone.param.to(type))) << type;
    }
  }
}

TEST(Adamw, ClipsByTheNormOfTheGradient) {
  for (const double max_norm : {0.5, 1e6}) {  // clips, leaves alone
    State seen = make_state(521), expected = copy(seen, at::kFloat);
    seen.grad_norm = gradient_norm(seen.grad);
    const double norm = seen.grad_norm.item<double>();
    AdamwStep step{1e-3, 0.9, 0.999, 1e-8, 0.01, 1.0, 3};
    step.max_norm = max_norm;
    adamw(seen, step);
    step.max_norm = 0;
    step.grad_scale = std::min(1.0, max_norm / (norm + 1e-6));
    adamw(expected, step);
    EXPECT_TRUE(seen.param.equal(expected.param)) << max_norm;
    EXPECT_TRUE(seen.exp_avg.equal(expected.exp_avg)) << max_norm;
  }
}

TEST(GradientNorm, IsTheSumInDoubleWhateverThreadsAndInstructionSet) {
  for (const int64_t count : {0, 1, 7, 8, 16384, 16397, 100003}) {
    at::manual_seed(count);
    const at::Tensor grad = at::randn({count}) * 3;
    long double squares = 0;
    for (int64_t i = 0; i < count; ++i)
      squares += std::pow(static_cast<long double>(grad.const_data_ptr<float>()[i]), 2);
    const double exact = static_cast<double>(std::sqrt(squares)),
                 seen = gradient_norm(grad).item<double>();
    // No sum has more than 2,048 terms, each of which may round once.
    EXPECT_NEAR(seen, exact, 2048 * 0x1p-53 * exact) << count;
    const int threads = at::get_num_threads();
    at::set_num_threads(3);
    set_isa(Isa::kPortable);
    EXPECT_EQ(gradient_norm(grad).item<double>(), seen) << count;
    set_isa(best_isa());
    at::set_num_threads(threads);
  }
}

TEST(Adamw, OracleClipsAndRoundsAlike) {
  State fast = make_state(77);
  fast.weights = at::zeros({77}, at::kBFloat16);
  fast.grad_norm = gradient_norm(fast.grad);
  State oracle = copy(fast, at::kFloat);
  oracle.weights = at::zeros({77}, at::kBFloat16);
  AdamwStep step{1e-2, 0.9, 0.999, 1e-8, 0.01, 1.0, 3};
  step.max_norm = 2;
  adamw(fast, step);
  set_mode(Mode::kReference);
  oracle.grad_norm = gradient_norm(oracle.grad);
  adamw(oracle, step);
  set_mode(Mode::kFast);
  EXPECT_TRUE(at::allclose(fast.param, oracle.param, 1e-6, 1e-7));
  EXPECT_TRUE(oracle.weights.equal(oracle.param.to(at::kBFloat16)));
}

TEST(Adamw, RefusesBuffersThatDoNotFit) {
  State state = make_state(8);
  const auto refused = [](State tensors, const AdamwStep& step) {
    EXPECT_THROW(adamw(tensors, step), Error);
  };
  State changed = state;
  changed.grad = at::zeros({7});
  refused(changed, {});
  changed = state;
  changed.exp_avg = at::zeros({8}, at::kDouble);
  refused(changed, {});
  changed = state;
  changed.weights = at::zeros({8});
  refused(changed, {});
  AdamwStep step;
  step.step = 0;
  refused(state, step);
  step.step = 1;
  step.max_norm = 1;  // without a norm
  refused(state, step);
  state.grad_norm = gradient_norm(state.grad);
  refused(state, {});
}

}  // namespace
}  // namespace covrl::kernels
