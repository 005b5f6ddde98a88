#include "kernels/token_ids.h"

#include <gtest/gtest.h>

namespace covrl::kernels {
namespace {

using Ids = std::vector<int64_t>;

TEST(TokenIdsTest, AreTheColumnTheyStandFor) {
  for (const Ids& column : {Ids{}, Ids{7}, Ids{7, 8, 9}, Ids{7, 8, 3, 4, 5, 9, 8, 0},
                            Ids{int64_t{1} << 40, (int64_t{1} << 40) + 1, 5}}) {
    const TokenIds ids(column);
    EXPECT_EQ(ids.size(), static_cast<int64_t>(column.size()));
    EXPECT_EQ(ids.column(), column);
    for (size_t a = 0; a < column.size(); ++a) {
      EXPECT_EQ(ids[static_cast<int64_t>(a)], column[a]);
      for (size_t b = 0; b < column.size(); ++b)
        EXPECT_EQ(ids.precedes(static_cast<int64_t>(a), static_cast<int64_t>(b)),
                  column[a] < column[b]);
    }
  }
}

TEST(TokenIdsTest, RunsAreAsLongAsIdsAreConsecutive) {
  TokenIds ids;
  ids.append(10, 3);
  ids.append(5, 0);
  ids.append(13, 2);
  ids.append(4, 2);
  EXPECT_EQ(ids.column(), (Ids{10, 11, 12, 13, 14, 4, 5}));
  const TokenRun* first = ids.run_of(0);
  for (int64_t place = 0; place < 5; ++place) EXPECT_EQ(ids.run_of(place), first);
  for (int64_t place = 5; place < 7; ++place) EXPECT_EQ(ids.run_of(place), first + 1);
  EXPECT_EQ(first[1].begin, 5);
  EXPECT_EQ(first[1].first_id, 4);
  EXPECT_EQ(first[2].begin, 7);
}

TEST(TokenIdsTest, AreTakenAtPlaces) {
  const TokenIds ids(Ids{10, 11, 12, 4, 5});
  EXPECT_EQ(ids.at(Ids{4, 0, 1, 3}).column(), (Ids{5, 10, 11, 4}));
  EXPECT_EQ(ids.at(Ids{}).size(), 0);
}

}  // namespace
}  // namespace covrl::kernels
