#include "kernels/rope_cuda.h"

#include <cmath>

#include "tests/kernels/cuda_support.h"

namespace covrl::kernels {
namespace {

template <class T>
class RopeCuda : public ::testing::Test {};
TYPED_TEST_SUITE(RopeCuda, StorageTypes);

struct Shape {
  int64_t num_tokens, num_heads, head_size;
};

TYPED_TEST(RopeCuda, MatchesDoubleInPlaceAndBeside) {
  COVRL_REQUIRE_DEVICE();
  const CudaType type = kType<TypeParam>;
  const int64_t num_positions = 11;
  for (const Shape shape :
       {Shape{1, 1, 2}, Shape{3, 5, 6}, Shape{5, 2, 64}, Shape{7, 3, 128}, Shape{2, 1, 22}}) {
    const int64_t half = shape.head_size / 2,
                  count = shape.num_tokens * shape.num_heads * shape.head_size;
    const auto x = random_values<TypeParam>(count, 1, 1);
    const auto cosines = random_values<float>(num_positions * half, 1, 2),
               sines = random_values<float>(num_positions * half, 1, 3);
    std::vector<int64_t> positions;
    for (int64_t token = 0; token < shape.num_tokens; ++token)
      positions.push_back(token * 5 % num_positions);
    DeviceBuffer<TypeParam> device_x(x.values), device_y(count);
    DeviceBuffer<float> device_cos(cosines.values), device_sin(sines.values);
    DeviceBuffer<int64_t> device_positions(positions);
    RopeForward heads = {device_x.data(),   device_y.data(),   type,
                         device_cos.data(), device_sin.data(), device_positions.data(),
                         shape.num_tokens,  shape.num_heads,   shape.head_size};
    check_cuda(rope_forward_cuda(heads, nullptr));
    const std::vector<float> y = to_floats(device_y.host());
    heads.y_THd = device_x.data();
    check_cuda(rope_forward_cuda(heads, nullptr));
    EXPECT_EQ(to_floats(device_x.host()), y);
    for (int64_t i = 0; i < count; ++i) {
      const int64_t place = i % shape.head_size, token = i / (shape.num_heads * shape.head_size);
      const int64_t table = positions[token] * half + place % half;
      const double partner = place < half ? -x.floats[i + half] : x.floats[i - half];
      const double kept = x.floats[i] * static_cast<double>(cosines.floats[table]);
      const double turned = partner * sines.floats[table];
      const double tolerance = 2 * kRounding<float> * (std::abs(kept) + std::abs(turned)) +
                               rounding_error<TypeParam>(kept + turned);
      ASSERT_NEAR(y[i], kept + turned, tolerance) << shape.head_size << " " << i;
    }
  }
}

TEST(RopeCudaSizes, OddHeadsAreRefused) {
  COVRL_REQUIRE_DEVICE();
  RopeForward heads;
  heads.num_tokens = heads.num_heads = 1;
  heads.head_size = 3;
  EXPECT_EQ(rope_forward_cuda(heads, nullptr), cudaErrorInvalidValue);
}

}  // namespace
}  // namespace covrl::kernels
