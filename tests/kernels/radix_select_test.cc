#include "kernels/radix_select.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <barrier>
#include <cmath>
#include <limits>
#include <memory>
#include <mutex>
#include <thread>
#include <tuple>

#include "core/rng.h"
#include "kernels/mode.h"

namespace covrl::kernels {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

struct Numbers {
  std::vector<double> values;
  std::vector<int64_t> ids;
  std::unique_ptr<bool[]> mask;

  RadixItems items() const {
    return {values.data(), mask.get(), ids.data(), static_cast<int64_t>(values.size())};
  }
};

Numbers part_of(const Numbers& all, const std::vector<size_t>& places) {
  Numbers part{{}, {}, std::make_unique<bool[]>(places.size())};
  for (size_t i = 0; i < places.size(); ++i) {
    part.values.push_back(all.values[places[i]]);
    part.ids.push_back(all.ids[places[i]]);
    part.mask[i] = all.mask[places[i]];
  }
  return part;
}

// Many ties at some numbers, all signs and sizes, -0 beside 0, ids in a scattered order.
Numbers random_numbers(size_t count, double masked_share) {
  Sequence draws(3, Stream::kTest, count);
  const std::vector<int64_t> order = permutation(static_cast<int64_t>(count), draws);
  const std::vector<double> special = {0.0, -0.0, kInfinity, -kInfinity, std::nan(""), 1e-310, 1};
  Numbers numbers{{}, {}, std::make_unique<bool[]>(count)};
  for (size_t i = 0; i < count; ++i) {
    const uint64_t kind = draws.below(4);
    numbers.values.push_back(kind == 0   ? special[draws.below(special.size())]
                             : kind == 1 ? std::round(3 * draws.normal())
                                         : draws.normal() * std::exp(10 * draws.normal()));
    numbers.ids.push_back((order[i] - 5) * ((int64_t{1} << 33) + 7));
    numbers.mask[i] = draws.uniform() >= masked_share;
  }
  return numbers;
}

// Places inside the mask, the largest number first.
std::vector<int64_t> sorted_places(const Numbers& numbers) {
  std::vector<int64_t> places;
  for (size_t i = 0; i < numbers.values.size(); ++i)
    if (numbers.mask[i]) places.push_back(static_cast<int64_t>(i));
  std::sort(places.begin(), places.end(), [&](int64_t a, int64_t b) {
    const size_t i = static_cast<size_t>(a), j = static_cast<size_t>(b);
    const double x = numbers.values[i], y = numbers.values[j];
    if (std::isnan(x) != std::isnan(y)) return std::isnan(y);
    return x == y || std::isnan(x) ? numbers.ids[i] < numbers.ids[j] : x > y;
  });
  return places;
}

TEST(RadixKeyTest, IsOrderedAsTheNumbersAreAndGivesThemBack) {
  const std::vector<double> rising = {-kInfinity, -1e300, -1,    -1e-310,  0,
                                      1e-310,     1,      1e300, kInfinity};
  for (size_t i = 0; i < rising.size(); ++i) {
    EXPECT_EQ(value_of_radix_key(radix_key(rising[i])), rising[i]);
    if (i > 0) {
      EXPECT_LT(radix_key(rising[i - 1]), radix_key(rising[i]));
    }
  }
  EXPECT_EQ(radix_key(-0.0), radix_key(0.0));
  EXPECT_LT(radix_key(std::nan("")), radix_key(-kInfinity));
  EXPECT_TRUE(std::isnan(value_of_radix_key(radix_key(std::nan("")))));
  EXPECT_GT(radix_key_of_id(-3), radix_key_of_id(0));
  EXPECT_GT(radix_key_of_id(0), radix_key_of_id(int64_t{1} << 62));
}

class RadixSelectTest : public ::testing::TestWithParam<std::tuple<size_t, double>> {
 protected:
  Numbers numbers = random_numbers(std::get<0>(GetParam()), std::get<1>(GetParam()));
  std::vector<int64_t> sorted = sorted_places(numbers);

  std::vector<int64_t> wanted(int64_t number) const {
    std::vector<int64_t> places(sorted.begin(),
                                sorted.begin() + std::min<int64_t>(number, std::ssize(sorted)));
    std::sort(places.begin(), places.end());
    return places;
  }
  std::vector<int64_t> counts() const {
    const int64_t total = std::ssize(sorted);
    return {0, 1, 2, total / 50, total / 3, total - 1, total, total + 5};
  }
};

TEST_P(RadixSelectTest, IsTheBeginningOfASort) {
  for (const int64_t number : counts())
    if (number >= 0) {
      EXPECT_EQ(radix_select(numbers.items(), number), wanted(number)) << number;
    }
}

TEST_P(RadixSelectTest, OrderStatisticsAreThoseOfASort) {
  for (size_t above = 0; above < sorted.size(); above += 1 + sorted.size() / 17) {
    const double seen = order_statistic(numbers.items(), static_cast<int64_t>(above)),
                 expected = numbers.values[static_cast<size_t>(sorted[above])];
    EXPECT_TRUE(seen == expected || (std::isnan(seen) && std::isnan(expected)))
        << above << ": " << seen << ", expected " << expected;
  }
}

TEST_P(RadixSelectTest, OracleFindsTheSame) {
  set_mode(Mode::kReference);
  for (const int64_t number : counts())
    if (number >= 0) {
      EXPECT_EQ(radix_select(numbers.items(), number), wanted(number)) << number;
    }
  if (!sorted.empty()) {
    const double seen = order_statistic(numbers.items(), 0),
                 expected = numbers.values[static_cast<size_t>(sorted[0])];
    EXPECT_TRUE(seen == expected || (std::isnan(seen) && std::isnan(expected)));
  }
  set_mode(Mode::kFast);
}

// Every rank is a thread; a histogram is complete when all have added theirs.
TEST_P(RadixSelectTest, RanksSelectWhatTheWholeDoes) {
  for (const size_t num_ranks : {1, 2, 4}) {
    std::vector<std::vector<size_t>> places(num_ranks);
    Sequence draws(7, Stream::kTest, num_ranks);
    for (size_t i = 0; i < numbers.values.size(); ++i)
      places[draws.below(num_ranks) * draws.below(2)].push_back(i);  // rank 0 has more
    for (const int64_t number : counts()) {
      if (number < 0) continue;
      std::vector<int64_t> total(kRadixBins);
      std::mutex mutex;
      std::barrier meeting(static_cast<std::ptrdiff_t>(num_ranks));
      const HistogramSum sum = [&](std::span<int64_t> histogram) {
        {
          const std::lock_guard lock(mutex);
          for (size_t i = 0; i < histogram.size(); ++i) total[i] += histogram[i];
        }
        meeting.arrive_and_wait();
        std::copy(total.begin(), total.end(), histogram.begin());
        meeting.arrive_and_wait();
        {
          const std::lock_guard lock(mutex);
          std::fill(total.begin(), total.end(), 0);
        }
        meeting.arrive_and_wait();
      };
      std::vector<int64_t> seen;
      std::vector<std::jthread> ranks;
      for (size_t rank = 0; rank < num_ranks; ++rank)
        ranks.emplace_back([&, rank] {
          const Numbers own = part_of(numbers, places[rank]);
          const std::vector<int64_t> selected = radix_select(own.items(), number, sum);
          const std::lock_guard lock(mutex);
          for (const int64_t place : selected)
            seen.push_back(static_cast<int64_t>(places[rank][static_cast<size_t>(place)]));
        });
      ranks.clear();
      std::sort(seen.begin(), seen.end());
      EXPECT_EQ(seen, wanted(number)) << num_ranks << " ranks, " << number;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Shapes, RadixSelectTest,
                         ::testing::Combine(::testing::Values(0, 1, 7, 64, 65, 4099),
                                            ::testing::Values(0.0, 0.3, 1.0)));

TEST(RadixSelectTieTest, EqualNumbersGoByTheirIds) {
  Numbers numbers = random_numbers(3000, 0.2);
  std::fill(numbers.values.begin(), numbers.values.end(), -0.25);
  std::vector<int64_t> places = sorted_places(numbers);
  places.resize(100);
  std::sort(places.begin(), places.end());
  EXPECT_EQ(radix_select(numbers.items(), 100), places);
}

}  // namespace
}  // namespace covrl::kernels
