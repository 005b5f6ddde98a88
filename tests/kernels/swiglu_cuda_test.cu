#include "kernels/swiglu_cuda.h"

#include <cmath>

#include "tests/kernels/cuda_support.h"
#include "tests/kernels/model_shape.h"

namespace covrl::kernels {
namespace {

template <class T>
class SwigluCuda : public ::testing::Test {};
TYPED_TEST_SUITE(SwigluCuda, StorageTypes);

constexpr int64_t kCounts[] = {1, 7, 8, 2047, model_shape::kIntermediate, 8209};

TYPED_TEST(SwigluCuda, MatchesDouble) {
  COVRL_REQUIRE_DEVICE();
  const CudaType type = kType<TypeParam>;
  for (const int64_t count : kCounts) {
    for (const int64_t offset : {0, 1}) {
      if (offset >= count) continue;
      const auto gate = random_values<TypeParam>(count, 6, 1),
                 up = random_values<TypeParam>(count, 2, 2);
      DeviceBuffer<TypeParam> device_gate(gate.values), device_up(up.values);
      check_cuda(swiglu_forward_cuda({device_gate.data() + offset, device_up.data() + offset,
                                      device_gate.data() + offset, type, count - offset},
                                     nullptr));
      const std::vector<float> y = to_floats(device_gate.host());
      for (int64_t i = offset; i < count; ++i) {
        const double x = gate.floats[i];
        const double expected = x / (1 + std::exp(-x)) * up.floats[i];
        const double tolerance =
            8 * kRounding<float> * std::abs(expected) + rounding_error<TypeParam>(expected);
        ASSERT_NEAR(y[i], expected, tolerance) << x;
      }
    }
  }
}

TYPED_TEST(SwigluCuda, GradientsMatchDouble) {
  COVRL_REQUIRE_DEVICE();
  for (const int64_t count : kCounts) {
    for (const int64_t offset : {0, 1}) {
      if (offset >= count) continue;
      const auto gate = random_values<TypeParam>(count, 6, 1),
                 up = random_values<TypeParam>(count, 2, 2),
                 grad = random_values<TypeParam>(count, 1, 3);
      DeviceBuffer<TypeParam> device_gate(gate.values), device_up(up.values),
          device_grad(grad.values), grad_gate(gate.values);
      SwigluBackward elements = {device_gate.data() + offset,
                                 device_up.data() + offset,
                                 device_grad.data() + offset,
                                 grad_gate.data() + offset,
                                 device_up.data() + offset,  // in place
                                 kType<TypeParam>,
                                 count - offset};
      check_cuda(swiglu_backward_cuda(elements, nullptr));
      const std::vector<float> seen_gate = to_floats(grad_gate.host()),
                               seen_up = to_floats(device_up.host());
      for (int64_t i = offset; i < count; ++i) {
        const double x = gate.floats[i], g = grad.floats[i], s = 1 / (1 + std::exp(-x));
        const double of_up = g * x * s, of_gate = g * up.floats[i] * s * (1 + x * (1 - s));
        // 1 - s is wrong by a rounding of s, which the slope of silu multiplies by x.
        const double terms = std::abs(g * up.floats[i] * s) * (1 + std::abs(x));
        ASSERT_NEAR(seen_up[i], of_up,
                    8 * kRounding<float> * std::abs(of_up) + rounding_error<TypeParam>(of_up));
        ASSERT_NEAR(seen_gate[i], of_gate,
                    12 * kRounding<float> * terms + rounding_error<TypeParam>(of_gate))
            << x;
      }
    }
  }
}

TEST(SwigluCudaEdges, LargeGatesGiveNoNaN) {
  COVRL_REQUIRE_DEVICE();
  DeviceBuffer<float> gate(std::vector<float>{-200.0f, 200.0f}), up(std::vector<float>{3.0f, 2.0f}),
      grad(std::vector<float>{5.0f, 7.0f}), grad_gate(2), grad_up(2);
  check_cuda(swiglu_backward_cuda({gate.data(), up.data(), grad.data(), grad_gate.data(),
                                   grad_up.data(), CudaType::kFloat32, 2},
                                  nullptr));
  EXPECT_EQ(grad_gate.host(), (std::vector<float>{0.0f, 14.0f}));
  EXPECT_EQ(grad_up.host(), (std::vector<float>{-0.0f, 1400.0f}));
  check_cuda(
      swiglu_forward_cuda({gate.data(), up.data(), gate.data(), CudaType::kFloat32, 2}, nullptr));
  EXPECT_EQ(gate.host(), (std::vector<float>{-0.0f, 400.0f}));
}

}  // namespace
}  // namespace covrl::kernels
