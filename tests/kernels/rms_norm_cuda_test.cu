#include "kernels/rms_norm_cuda.h"

#include <cmath>

#include "tests/kernels/cuda_support.h"

namespace covrl::kernels {
namespace {

template <class T>
class RmsNormCuda : public ::testing::Test {};
TYPED_TEST_SUITE(RmsNormCuda, StorageTypes);

template <class T>
std::vector<float> run(const std::vector<T>& x, const std::vector<T>& weight, float eps) {
  const int64_t size = static_cast<int64_t>(weight.size()),
                num_tokens = static_cast<int64_t>(x.size()) / size;
  DeviceBuffer<T> device_x(x), device_weight(weight), y(x.size());
  check_cuda(rms_norm_forward_cuda(
      {device_x.data(), device_weight.data(), y.data(), kType<T>, num_tokens, size, eps}, nullptr));
  return to_floats(y.host());
}

TYPED_TEST(RmsNormCuda, MatchesDouble) {
  COVRL_REQUIRE_DEVICE();
  const float eps = 1e-6f;
  for (const int64_t size : {1, 7, 8, 127, 896, 1536, 4099}) {
    const int64_t num_tokens = 3;
    const auto x = random_values<TypeParam>(num_tokens * size, 2, 1),
               weight = random_values<TypeParam>(size, 1, 2);
    const std::vector<float> y = run(x.values, weight.values, eps);
    for (int64_t token = 0; token < num_tokens; ++token) {
      double squares = 0;
      for (int64_t i = 0; i < size; ++i) squares += std::pow(x.floats[token * size + i], 2.0);
      const double scale = 1 / std::sqrt(squares / static_cast<double>(size) + eps);
      for (int64_t i = 0; i < size; ++i) {
        const double expected = x.floats[token * size + i] * scale * weight.floats[i];
        // Sum and root: a few roundings of float32. In 16 bits the normalised value and the result
        // are rounded besides.
        const double roundings =
            sizeof(TypeParam) == 2 ? 2 * kRounding<TypeParam> + 0x1p-18 : 16 * kRounding<float>;
        const double subnormal = rounding_error<TypeParam>(0) * (1 + std::abs(weight.floats[i]));
        ASSERT_NEAR(y[token * size + i], expected, roundings * std::abs(expected) + subnormal)
            << size;
      }
    }
  }
}

TYPED_TEST(RmsNormCuda, RowHasTheSameBitsAloneAndInABatch) {
  COVRL_REQUIRE_DEVICE();
  for (const int64_t size : {333, 1536}) {
    const auto x = random_values<TypeParam>(3 * size, 2, 1),
               weight = random_values<TypeParam>(size, 1, 2);
    const std::vector<float> batch = run(x.values, weight.values, 1e-5f);
    const std::vector<TypeParam> last(x.values.end() - size, x.values.end());
    EXPECT_EQ(run(last, weight.values, 1e-5f), std::vector<float>(batch.end() - size, batch.end()));
  }
}

}  // namespace
}  // namespace covrl::kernels
