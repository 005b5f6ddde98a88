#include "entropy/top_k.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace covrl {
namespace {

using Places = std::vector<int64_t>;

Places top_k_of(const std::vector<double>& values, const std::vector<int64_t>& ids, int64_t k) {
  return top_k(at::tensor(values, at::kDouble),
               at::ones({static_cast<int64_t>(values.size())}, at::kBool), kernels::TokenIds(ids),
               k);
}

TEST(TopKTest, TiesGoToTheSmallerId) {
  const std::vector<double> values = {1, 3, 3, 2, 3};
  const std::vector<int64_t> ids = {0, 9, 4, 5, 7};
  EXPECT_EQ(top_k_of(values, ids, 1), (Places{2}));
  EXPECT_EQ(top_k_of(values, ids, 2), (Places{2, 4}));
  EXPECT_EQ(top_k_of(values, ids, 4), (Places{1, 2, 3, 4}));
}

TEST(TopKTest, AnyCountAndAnyValue) {
  const double infinity = std::numeric_limits<double>::infinity();
  EXPECT_EQ(top_k_of({}, {}, 3), Places{});
  EXPECT_EQ(top_k_of({1, 2}, {0, 1}, 0), Places{});
  EXPECT_EQ(top_k_of({1, 2}, {0, 1}, 5), (Places{0, 1}));
  EXPECT_EQ(top_k_of({std::nan(""), -5, infinity}, {0, 1, 2}, 2), (Places{1, 2}));
}

}  // namespace
}  // namespace covrl
