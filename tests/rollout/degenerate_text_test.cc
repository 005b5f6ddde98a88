#include "rollout/degenerate_text.h"

#include <gtest/gtest.h>

#include <vector>

namespace covrl {
namespace {

using Units = std::vector<int64_t>;

// `phrase` over and over, `length` units in all.
Units repeated(const Units& phrase, size_t length) {
  Units units;
  for (size_t i = 0; i < length; ++i) units.push_back(phrase[i % phrase.size()]);
  return units;
}

// Different units.
Units counted(int64_t length, int64_t first = 1000) {
  Units units;
  for (int64_t i = 0; i < length; ++i) units.push_back(first + i);
  return units;
}

Units joined(Units a, const Units& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

// Compares every stretch with its definition.
Repetition by_definition(const Units& units) {
  Repetition best;
  const auto count = static_cast<int64_t>(units.size());
  for (int64_t period = 1; period <= 64; ++period)
    for (int64_t begin = 0; begin < count; ++begin) {
      int64_t end = std::min(begin + period, count);
      while (end < count &&
             units[static_cast<size_t>(end)] == units[static_cast<size_t>(end - period)])
        ++end;
      if (end - begin >= 3 * period && end - begin > best.length) best = {period, end - begin};
    }
  return best;
}

TEST(LongestRepetition, OfOneTokenAndOfPhrases) {
  EXPECT_EQ(longest_repetition(Units()).length, 0);
  EXPECT_EQ(longest_repetition(counted(300)).period, 0);
  const Repetition one = longest_repetition(joined(counted(5), repeated({7}, 20)));
  EXPECT_EQ(one.period, 1);
  EXPECT_EQ(one.length, 20);
  const Repetition phrase = longest_repetition(joined(repeated(counted(64), 3 * 64), {1, 2}));
  EXPECT_EQ(phrase.period, 64);
  EXPECT_EQ(phrase.length, 192);
  EXPECT_EQ(longest_repetition(repeated(counted(65), 4 * 65)).period, 0);
  EXPECT_EQ(longest_repetition(repeated({1, 2, 3}, 8)).period, 0);  // not three times
}

TEST(LongestRepetition, EqualsItsDefinitionOnRandomUnits) {
  uint64_t state = 1;
  for (int trial = 0; trial < 200; ++trial) {
    Units units;
    for (int i = 0; i < 1 + trial % 41; ++i) {
      state = state * 6364136223846793005u + 1442695040888963407u;
      units.push_back(static_cast<int64_t>(state >> 62) % 2);
    }
    const Repetition found = longest_repetition(units), wanted = by_definition(units);
    EXPECT_EQ(found.length, wanted.length) << trial;
    EXPECT_EQ(found.period, wanted.period) << trial;
  }
}

TEST(Degenerate, NeedsSixteenTokensAndHalfOfTheResponse) {
  EXPECT_FALSE(is_degenerate(Units()));
  EXPECT_FALSE(is_degenerate(repeated({7}, 15)));
  EXPECT_TRUE(is_degenerate(repeated({7}, 16)));
  EXPECT_TRUE(is_degenerate(joined(counted(16), repeated({7}, 16))));
  EXPECT_FALSE(is_degenerate(joined(counted(17), repeated({7}, 16))));
  // An end token after the loop, or words before it, do not hide it.
  EXPECT_TRUE(is_degenerate(joined(joined(counted(40), repeated({1, 2, 3, 4}, 200)), {99})));
}

TEST(Degenerate, OfText) {
  std::string loop = "So the answer is ", marks, japanese;
  for (int i = 0; i < 20; ++i) {
    loop += "12, and so it is ";
    marks += "!";
    japanese += "\u7b54\u3048";
  }
  EXPECT_TRUE(is_degenerate(loop));
  EXPECT_TRUE(is_degenerate(marks));
  EXPECT_TRUE(is_degenerate(japanese));
  EXPECT_FALSE(
      is_degenerate(std::string("Leo pays 9 * 6 = 54 dollars. 65 - 54 = 11, so he gets "
                                "\\boxed{11} dollars back, which is the change.")));
  EXPECT_FALSE(is_degenerate(std::string("1000000000000000000000000000000")));  // one word
  EXPECT_FALSE(is_degenerate(std::string()));
}

}  // namespace
}  // namespace covrl
