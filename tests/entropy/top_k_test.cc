#include "entropy/top_k.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace covrl {
namespace {

using Indices = std::vector<int64_t>;

TEST(TopKTest, TiesGoToTheSmallerId) {
  const std::vector<double> values = {1, 3, 3, 2, 3};
  const Indices ids = {0, 9, 4, 5, 7};
  EXPECT_EQ(top_k(values, ids, 1), (Indices{2}));
  EXPECT_EQ(top_k(values, ids, 2), (Indices{2, 4}));
  EXPECT_EQ(top_k(values, ids, 4), (Indices{2, 4, 1, 3}));
}

TEST(TopKTest, AnyCountAndAnyValue) {
  const double infinity = std::numeric_limits<double>::infinity();
  EXPECT_EQ(top_k({}, {}, 3), Indices{});
  EXPECT_EQ(top_k({1, 2}, {0, 1}, 0), Indices{});
  EXPECT_EQ(top_k({1, 2}, {0, 1}, 5), (Indices{1, 0}));
  EXPECT_EQ(top_k({std::nan(""), -5, infinity}, {0, 1, 2}, 2), (Indices{2, 1}));
}

}  // namespace
}  // namespace covrl
