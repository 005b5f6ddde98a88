#include "kernels/adamw_cuda.h"

#include <cmath>

#include "tests/kernels/cuda_support.h"

namespace covrl::kernels {
namespace {

constexpr AdamwScalars kScalars = {0.5f, 1 - 1e-3f, 0.1f, 0.999f, 0.001f, 0.0547f, 1e-8f, -3.7e-3f};

struct State {
  std::vector<float> param, grad, exp_avg, exp_avg_sq;
};

State make_state(int64_t count) {
  State state{random_values<float>(count, 1, 1).values, random_values<float>(count, 1, 2).values,
              random_values<float>(count, 0.1f, 3).values,
              random_values<float>(count, 0.1f, 4).values};
  for (float& value : state.exp_avg_sq) value = std::abs(value);
  return state;
}

// One element in Real: float gives the bits of the kernel, double what they should be close to.
template <class Real>
void step_element(Real& param, Real grad, Real& exp_avg, Real& exp_avg_sq) {
  const AdamwScalars& s = kScalars;
  const volatile Real g = grad * Real(s.grad_scale);
  const volatile Real difference = g - exp_avg;
  const volatile Real step_of_average = Real(s.beta1_complement) * difference;
  exp_avg = exp_avg + step_of_average;
  const volatile Real kept = exp_avg_sq * Real(s.beta2);
  const volatile Real part = Real(s.beta2_complement) * g;
  const volatile Real added = part * g;
  exp_avg_sq = kept + added;
  const volatile Real root = std::sqrt(exp_avg_sq) / Real(s.sqrt_correction2);
  const volatile Real denominator = root + Real(s.eps);
  const volatile Real decayed = param * Real(s.decay);
  const volatile Real numerator = Real(s.negative_step) * exp_avg;
  const volatile Real update = numerator / denominator;
  param = decayed + update;
}

State run(const State& start, int64_t offset) {
  const int64_t count = static_cast<int64_t>(start.param.size()) - offset;
  DeviceBuffer<float> param(start.param), grad(start.grad), exp_avg(start.exp_avg),
      exp_avg_sq(start.exp_avg_sq);
  check_cuda(adamw_cuda({param.data() + offset, grad.data() + offset, exp_avg.data() + offset,
                         exp_avg_sq.data() + offset, count},
                        kScalars, nullptr));
  return {param.host(), grad.host(), exp_avg.host(), exp_avg_sq.host()};
}

TEST(AdamwCuda, HasTheBitsOfTheSameRoundingsOnTheHost) {
  COVRL_REQUIRE_DEVICE();
  for (const int64_t count : {1, 3, 4, 1021, 4096, 5003}) {
    for (const int64_t offset : {0, 1}) {
      if (offset >= count) continue;
      State expected = make_state(count);
      const State after = run(expected, offset);
      for (int64_t i = offset; i < count; ++i)
        step_element(expected.param[i], expected.grad[i], expected.exp_avg[i],
                     expected.exp_avg_sq[i]);
      EXPECT_EQ(after.param, expected.param) << count;
      EXPECT_EQ(after.exp_avg, expected.exp_avg) << count;
      EXPECT_EQ(after.exp_avg_sq, expected.exp_avg_sq) << count;
    }
  }
}

TEST(AdamwCuda, MatchesDouble) {
  COVRL_REQUIRE_DEVICE();
  const State start = make_state(521);
  const State after = run(start, 0);
  for (size_t i = 0; i < start.param.size(); ++i) {
    double param = start.param[i], exp_avg = start.exp_avg[i], exp_avg_sq = start.exp_avg_sq[i];
    step_element<double>(param, start.grad[i], exp_avg, exp_avg_sq);
    const double update = std::abs(param - start.param[i]);
    EXPECT_NEAR(after.param[i], param, 0x1p-24 * (2 * std::abs(param) + 10 * update));
    EXPECT_NEAR(after.exp_avg_sq[i], exp_avg_sq, 3 * 0x1p-24 * exp_avg_sq);
  }
}

TEST(AdamwCuda, NothingToDoIsSuccessAndBadSizesAreRefused) {
  COVRL_REQUIRE_DEVICE();
  AdamwBuffers buffers;
  EXPECT_EQ(adamw_cuda(buffers, kScalars, nullptr), cudaSuccess);
  buffers.count = -1;
  EXPECT_EQ(adamw_cuda(buffers, kScalars, nullptr), cudaErrorInvalidValue);
}

}  // namespace
}  // namespace covrl::kernels
