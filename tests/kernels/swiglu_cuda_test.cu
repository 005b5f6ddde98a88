#include "kernels/swiglu_cuda.h"

#include <cmath>

#include "tests/kernels/cuda_support.h"

namespace covrl::kernels {
namespace {

template <class T>
class SwigluCuda : public ::testing::Test {};
TYPED_TEST_SUITE(SwigluCuda, StorageTypes);

TYPED_TEST(SwigluCuda, MatchesDouble) {
  COVRL_REQUIRE_DEVICE();
  const CudaType type = kType<TypeParam>;
  for (const int64_t count : {1, 7, 8, 2047, 4864, 8209}) {
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

TEST(SwigluCudaEdges, LargeNegativeGateGivesZeroNotNaN) {
  COVRL_REQUIRE_DEVICE();
  DeviceBuffer<float> gate(std::vector<float>{-200.0f, 200.0f}), up(std::vector<float>{3.0f, 2.0f});
  check_cuda(
      swiglu_forward_cuda({gate.data(), up.data(), gate.data(), CudaType::kFloat32, 2}, nullptr));
  EXPECT_EQ(gate.host(), (std::vector<float>{-0.0f, 400.0f}));
}

}  // namespace
}  // namespace covrl::kernels
