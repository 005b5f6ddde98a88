#include "kernels/adamw_cuda.h"

#include <algorithm>
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
void step_element(Real& param, Real grad, Real& exp_avg, Real& exp_avg_sq, float grad_scale) {
  const AdamwScalars& s = kScalars;
  const volatile Real g = grad * Real(grad_scale);
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

void step_on_host(State& state, int64_t offset, float grad_scale = kScalars.grad_scale) {
  for (size_t i = offset; i < state.param.size(); ++i)
    step_element(state.param[i], state.grad[i], state.exp_avg[i], state.exp_avg_sq[i], grad_scale);
}

// A state on the device, from `offset` on.
struct DeviceState {
  DeviceState(const State& start, int64_t offset)
      : param(start.param),
        grad(start.grad),
        exp_avg(start.exp_avg),
        exp_avg_sq(start.exp_avg_sq),
        buffers{param.data() + offset, grad.data() + offset, exp_avg.data() + offset,
                exp_avg_sq.data() + offset, static_cast<int64_t>(start.param.size()) - offset} {}
  State host() const { return {param.host(), grad.host(), exp_avg.host(), exp_avg_sq.host()}; }

  DeviceBuffer<float> param, grad, exp_avg, exp_avg_sq;
  AdamwBuffers buffers;
};

void expect_same(const State& seen, const State& expected) {
  EXPECT_EQ(seen.param, expected.param);
  EXPECT_EQ(seen.exp_avg, expected.exp_avg);
  EXPECT_EQ(seen.exp_avg_sq, expected.exp_avg_sq);
}

constexpr int64_t kCounts[] = {1, 3, 4, 1021, 4096, 5003};

TEST(AdamwCuda, HasTheBitsOfTheSameRoundingsOnTheHost) {
  COVRL_REQUIRE_DEVICE();
  for (const int64_t count : kCounts) {
    for (const int64_t offset : {0, 1}) {
      if (offset >= count) continue;
      State expected = make_state(count);
      DeviceState device(expected, offset);
      check_cuda(adamw_cuda(device.buffers, kScalars, nullptr));
      step_on_host(expected, offset);
      expect_same(device.host(), expected);
    }
  }
}

template <class W>
class AdamwCudaWeights : public ::testing::Test {};
using WeightTypes = ::testing::Types<__nv_bfloat16, __half>;
TYPED_TEST_SUITE(AdamwCudaWeights, WeightTypes);

TYPED_TEST(AdamwCudaWeights, AreTheRoundedMasterCopy) {
  COVRL_REQUIRE_DEVICE();
  for (const int64_t count : kCounts) {
    for (const int64_t offset : {0, 1}) {
      if (offset >= count) continue;
      State expected = make_state(count);
      DeviceState device(expected, offset);
      std::vector<TypeParam> rounded(count, static_cast<TypeParam>(7.0f));
      DeviceBuffer<TypeParam> weights(rounded);
      device.buffers.weights = weights.data() + offset;
      device.buffers.weights_type = kType<TypeParam>;
      check_cuda(adamw_cuda(device.buffers, kScalars, nullptr));
      step_on_host(expected, offset);
      expect_same(device.host(), expected);
      for (int64_t i = offset; i < count; ++i)
        rounded[i] = static_cast<TypeParam>(expected.param[i]);
      EXPECT_EQ(to_floats(weights.host()), to_floats(rounded)) << count;
    }
  }
}

TEST(AdamwCuda, MatchesDouble) {
  COVRL_REQUIRE_DEVICE();
  const State start = make_state(521);
  DeviceState device(start, 0);
  check_cuda(adamw_cuda(device.buffers, kScalars, nullptr));
  const State after = device.host();
  for (size_t i = 0; i < start.param.size(); ++i) {
    double param = start.param[i], exp_avg = start.exp_avg[i], exp_avg_sq = start.exp_avg_sq[i];
    step_element<double>(param, start.grad[i], exp_avg, exp_avg_sq, kScalars.grad_scale);
    const double update = std::abs(param - start.param[i]);
    EXPECT_NEAR(after.param[i], param, 0x1p-24 * (2 * std::abs(param) + 10 * update));
    EXPECT_NEAR(after.exp_avg_sq[i], exp_avg_sq, 3 * 0x1p-24 * exp_avg_sq);
  }
}

double norm_on_device(DeviceBuffer<float>& grad, int64_t offset, int64_t count,
                      DeviceBuffer<double>& norm) {
  DeviceBuffer<double> workspace(std::max<int64_t>(1, gradient_norm_workspace(count)));
  check_cuda(
      gradient_norm_cuda({grad.data() + offset, count, workspace.data(), norm.data()}, nullptr));
  return norm.host()[0];
}

TEST(GradientNormCuda, MatchesTheSumInDouble) {
  COVRL_REQUIRE_DEVICE();
  for (const int64_t count : {0, 1, 7, 4097, 16384, 16387, 100003}) {
    const auto values = random_values<float>(count + 1, 3, 5);
    DeviceBuffer<float> grad(values.values);
    DeviceBuffer<double> norm(1);
    for (const int64_t offset : {0, 1}) {
      double squares = 0;
      for (int64_t i = offset; i < offset + count; ++i)
        squares += static_cast<double>(values.floats[i]) * values.floats[i];
      const double seen = norm_on_device(grad, offset, count, norm);
      EXPECT_NEAR(seen, std::sqrt(squares), 1e-15 * std::sqrt(squares) * std::sqrt(count)) << count;
    }
  }
}

TEST(GradientNormCuda, StepClipsByTheNormOnTheDevice) {
  COVRL_REQUIRE_DEVICE();
  for (const double max_norm : {1.0, 1e6}) {  // clips, leaves alone
    State expected = make_state(1021);
    DeviceState device(expected, 0);
    DeviceBuffer<double> norm(1);
    AdamwScalars scalars = kScalars;
    scalars.max_norm = max_norm;
    const double size = norm_on_device(device.grad, 0, 1021, norm);
    device.buffers.grad_norm = norm.data();
    check_cuda(adamw_cuda(device.buffers, scalars, nullptr));
    const double share = std::min(1.0, max_norm / (size + kClipEpsilon));
    EXPECT_EQ(share < 1, max_norm == 1);
    step_on_host(expected, 0, static_cast<float>(kScalars.grad_scale * share));
    expect_same(device.host(), expected);
  }
}

TEST(AdamwCuda, NothingToDoIsSuccessAndBadSizesAreRefused) {
  COVRL_REQUIRE_DEVICE();
  AdamwBuffers buffers;
  EXPECT_EQ(adamw_cuda(buffers, kScalars, nullptr), cudaSuccess);
  buffers.count = -1;
  EXPECT_EQ(adamw_cuda(buffers, kScalars, nullptr), cudaErrorInvalidValue);
  EXPECT_EQ(gradient_norm_cuda({nullptr, -1, nullptr, nullptr}, nullptr), cudaErrorInvalidValue);
}

}  // namespace
}  // namespace covrl::kernels
