#include "core/rng.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <set>
#include <vector>

#include "core/error.h"

namespace covrl {
namespace {

using Words = std::array<uint32_t, 4>;

// Known answers of philox4x32-10 published with Random123 (Salmon et al., SC 2011).
TEST(RngTest, PhiloxEqualsPublishedVectors) {
  EXPECT_EQ(philox4x32({0, 0, 0, 0}, {0, 0}),
            (Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  constexpr uint32_t kOnes = 0xffffffff;
  EXPECT_EQ(philox4x32({kOnes, kOnes, kOnes, kOnes}, {kOnes, kOnes}),
            (Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(philox4x32({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
            (Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(RngTest, DrawsDependOnTheIdAlone) {
  std::vector<uint64_t> forward, backward;
  for (uint32_t position = 0; position < 100; ++position)
    forward.push_back(random_bits(7, Stream::kSampling, {3, 4, 5, position}));
  for (uint32_t position = 100; position-- > 0;)
    backward.push_back(random_bits(7, Stream::kSampling, {3, 4, 5, position}));
  std::ranges::reverse(backward);
  EXPECT_EQ(forward, backward);
}

TEST(RngTest, EveryPartOfTheIdMatters) {
  std::set<uint64_t> seen;
  const DrawId base{1, 2, 3, 4};
  const std::vector<DrawId> ids = {base,         {2, 2, 3, 4}, {1, 3, 3, 4}, {1, 2, 4, 4},
                                   {1, 2, 3, 5}, {2, 1, 3, 4}, {1, 2, 4, 3}};
  for (const DrawId& id : ids) seen.insert(random_bits(0, Stream::kTest, id));
  for (uint64_t seed = 1; seed < 1000; ++seed) seen.insert(random_bits(seed, Stream::kTest, base));
  for (uint32_t stream = 1; stream < 8; ++stream)
    for (uint64_t seed = 0; seed < 1000; ++seed)
      seen.insert(random_bits(seed, static_cast<Stream>(stream), base));
  EXPECT_EQ(seen.size(), ids.size() + 999 + 7000);
}

TEST(RngTest, IdBeyondThirtyTwoBitsIsRefusedInsteadOfWrapped) {
  EXPECT_THROW(uniform(0, Stream::kTest, {uint64_t{1} << 32, 0, 0, 0}), Error);
  EXPECT_THROW(uniform(0, Stream::kTest, {0, uint64_t{1} << 32, 0, 0}), Error);
}

// Means of n draws lie within five standard errors of the truth (the seed is fixed: the outcome
// never changes).
TEST(RngTest, MomentsOfUniformAndNormal) {
  constexpr int kDraws = 100000;
  Sequence sequence(11, Stream::kTest);
  double sum = 0, sum_squares = 0, normal_sum = 0, normal_squares = 0;
  for (int i = 0; i < kDraws; ++i) {
    const double u = sequence.uniform();
    ASSERT_GE(u, 0);
    ASSERT_LT(u, 1);
    sum += u;
    sum_squares += u * u;
    const double z = sequence.normal();
    normal_sum += z;
    normal_squares += z * z;
  }
  const double root = std::sqrt(static_cast<double>(kDraws));
  EXPECT_NEAR(sum / kDraws, 0.5, 5 * std::sqrt(1.0 / 12) / root);
  EXPECT_NEAR(sum_squares / kDraws, 1.0 / 3, 5 * std::sqrt(4.0 / 45) / root);
  EXPECT_NEAR(normal_sum / kDraws, 0, 5 / root);
  EXPECT_NEAR(normal_squares / kDraws, 1, 5 * std::sqrt(2.0) / root);
}

TEST(RngTest, BelowIsUniform) {
  constexpr int kDraws = 70000;
  Sequence sequence(5, Stream::kTest);
  std::array<int, 7> counts{};
  for (int i = 0; i < kDraws; ++i) ++counts.at(sequence.below(7));
  const double expected = kDraws / 7.0;
  for (const int count : counts) EXPECT_NEAR(count, expected, 5 * std::sqrt(expected * 6 / 7));
  EXPECT_EQ(sequence.below(1), 0u);
  EXPECT_EQ(sequence.between(-3, -3), -3);
}

TEST(RngTest, PermutationHoldsEveryIndexOnceAndRepeatsWithTheSeed) {
  Sequence one(1, Stream::kShuffle), again(1, Stream::kShuffle), other(2, Stream::kShuffle);
  const std::vector<int64_t> order = permutation(1000, one);
  std::vector<int64_t> sorted = order, identity(1000);
  std::iota(identity.begin(), identity.end(), 0);
  std::ranges::sort(sorted);
  EXPECT_EQ(sorted, identity);
  EXPECT_NE(order, identity);
  EXPECT_EQ(order, permutation(1000, again));
  EXPECT_NE(order, permutation(1000, other));
  EXPECT_TRUE(permutation(0, one).empty());
}

}  // namespace
}  // namespace covrl
