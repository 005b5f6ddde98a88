#include "kernels/rope_cuda.h"

#include <cmath>

#include "tests/kernels/cuda_support.h"
#include "tests/kernels/model_shape.h"

namespace covrl::kernels {
namespace {

template <class T>
class RopeCuda : public ::testing::Test {};
TYPED_TEST_SUITE(RopeCuda, StorageTypes);

struct Shape {
  int64_t num_tokens, num_heads, head_size;
  int64_t count() const { return num_tokens * num_heads * head_size; }
};

constexpr Shape kShapes[] = {{1, 1, 2},
                             {3, 5, 6},
                             {5, 2, 64},
                             {7, 17, 128},
                             {2, 1, 22},
                             {3, 9, 8},
                             {2, model_shape::kHeads, model_shape::kHeadSize}};

// Random angles at 11 positions, and the tokens' places among them.
struct Angles {
  explicit Angles(const Shape& shape)
      : half(shape.head_size / 2),
        cosines(random_values<float>(kPositions * half, 1, 2)),
        sines(random_values<float>(kPositions * half, 1, 3)),
        positions(places(shape.num_tokens)),
        device_cos(cosines.values),
        device_sin(sines.values),
        device_positions(positions) {}
  RopeAngles device() { return {device_cos.data(), device_sin.data(), device_positions.data()}; }
  static std::vector<int64_t> places(int64_t num_tokens) {
    std::vector<int64_t> positions;
    for (int64_t token = 0; token < num_tokens; ++token)
      positions.push_back(token * 5 % kPositions);
    return positions;
  }

  static constexpr int64_t kPositions = 11;
  int64_t half;
  Stored<float> cosines, sines;
  std::vector<int64_t> positions;
  DeviceBuffer<float> device_cos, device_sin;
  DeviceBuffer<int64_t> device_positions;
};

// Element i of x [T,H,d] rotated, in double, and what its roundings may add up to.
struct Rotated {
  double value, tolerance;
};
template <class T>
Rotated rotated(const std::vector<float>& x, const Shape& shape, const Angles& angles, int64_t i,
                double direction) {
  const int64_t place = i % shape.head_size, token = i / (shape.num_heads * shape.head_size);
  const int64_t table = angles.positions[token] * angles.half + place % angles.half;
  const double partner = place < angles.half ? -x[i + angles.half] : x[i - angles.half];
  const double kept = x[i] * static_cast<double>(angles.cosines.floats[table]);
  const double turned = direction * partner * angles.sines.floats[table];
  return {kept + turned, 2 * kRounding<float> * (std::abs(kept) + std::abs(turned)) +
                             rounding_error<T>(kept + turned)};
}

TYPED_TEST(RopeCuda, MatchesDoubleInPlaceAndBesideForthAndBack) {
  COVRL_REQUIRE_DEVICE();
  for (const Shape& shape : kShapes) {
    for (const float direction : {1.0f, -1.0f}) {
      const auto x = random_values<TypeParam>(shape.count(), 1, 1);
      Angles angles(shape);
      DeviceBuffer<TypeParam> device_x(x.values), device_y(shape.count());
      RopeHeads heads = {device_x.data(),  device_y.data(), kType<TypeParam>, angles.device(),
                         shape.num_tokens, shape.num_heads, shape.head_size,  direction};
      check_cuda(rope_cuda(heads, nullptr));
      const std::vector<float> y = to_floats(device_y.host());
      heads.y_THd = device_x.data();
      check_cuda(rope_cuda(heads, nullptr));
      EXPECT_EQ(to_floats(device_x.host()), y);
      for (int64_t i = 0; i < shape.count(); ++i) {
        const Rotated wanted = rotated<TypeParam>(x.floats, shape, angles, i, direction);
        ASSERT_NEAR(y[i], wanted.value, wanted.tolerance) << shape.head_size << " " << i;
      }
    }
  }
}

TYPED_TEST(RopeCuda, KeysAndValuesGoToTheirSlots) {
  COVRL_REQUIRE_DEVICE();
  for (const Shape& shape : kShapes) {
    const int64_t width = shape.num_heads * shape.head_size, num_slots = 3 * shape.num_tokens;
    const auto k = random_values<TypeParam>(shape.count(), 1, 4),
               v = random_values<TypeParam>(shape.count(), 1, 5),
               before = random_values<TypeParam>(num_slots * width, 1, 6);
    Angles angles(shape);
    std::vector<int64_t> slots;
    for (int64_t token = 0; token < shape.num_tokens; ++token)
      slots.push_back(num_slots - 2 - 3 * token);
    DeviceBuffer<TypeParam> device_k(k.values), device_v(v.values), cache_k(before.values),
        cache_v(before.values), alone(shape.count());
    DeviceBuffer<int64_t> device_slots(slots);
    check_cuda(rope_into_cache_cuda(
        {device_k.data(), device_v.data(), cache_k.data(), cache_v.data(), kType<TypeParam>,
         angles.device(), device_slots.data(), shape.num_tokens, shape.num_heads, shape.head_size},
        nullptr));
    check_cuda(rope_cuda({device_k.data(), alone.data(), kType<TypeParam>, angles.device(),
                          shape.num_tokens, shape.num_heads, shape.head_size},
                         nullptr));
    const std::vector<float> rotated_k = to_floats(alone.host());
    std::vector<float> expected_k = before.floats, expected_v = before.floats;
    for (int64_t i = 0; i < shape.count(); ++i) {
      expected_k[slots[i / width] * width + i % width] = rotated_k[i];
      expected_v[slots[i / width] * width + i % width] = v.floats[i];
    }
    EXPECT_EQ(to_floats(cache_k.host()), expected_k) << shape.head_size;
    EXPECT_EQ(to_floats(cache_v.host()), expected_v) << shape.head_size;
  }
}

TEST(RopeCudaSizes, OddHeadsAreRefused) {
  COVRL_REQUIRE_DEVICE();
  RopeHeads heads;
  heads.num_tokens = heads.num_heads = 1;
  heads.head_size = 3;
  EXPECT_EQ(rope_cuda(heads, nullptr), cudaErrorInvalidValue);
}

}  // namespace
}  // namespace covrl::kernels
