#include "rl/prompt_stream.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

namespace covrl {
namespace {

std::vector<Prompt> numbered(int64_t n) {
  std::vector<Prompt> prompts(static_cast<size_t>(n));
  for (int64_t i = 0; i < n; ++i) prompts[static_cast<size_t>(i)].index = i;
  return prompts;
}

std::vector<int64_t> indices(const std::vector<Prompt>& prompts) {
  std::vector<int64_t> result;
  for (const Prompt& prompt : prompts) result.push_back(prompt.index);
  return result;
}

TEST(PromptStream, EveryRowComesOnceAnEpochEvenWhenBatchesSpanEpochs) {
  const PromptStream stream(numbered(7), 3, 1, Order::kShuffled);
  std::map<int64_t, int> seen;
  for (int64_t step = 1; step <= 7; ++step)
    for (const int64_t index : indices(stream.batch(step))) ++seen[index];
  ASSERT_EQ(seen.size(), 7u);
  for (const auto& [index, count] : seen) EXPECT_EQ(count, 3) << index;
}

TEST(PromptStream, ABatchMayBeLargerThanTheData) {
  const PromptStream stream(numbered(1), 128, 1, Order::kShuffled);
  EXPECT_EQ(indices(stream.batch(5)), std::vector<int64_t>(128, 0));
}

TEST(PromptStream, AStepIsAFunctionOfSeedAndStep) {
  const PromptStream stream(numbered(50), 8, 3, Order::kShuffled),
      same(numbered(50), 8, 3, Order::kShuffled), other(numbered(50), 8, 4, Order::kShuffled);
  same.batch(1);
  EXPECT_EQ(indices(stream.batch(9)), indices(same.batch(9)));
  EXPECT_NE(indices(stream.batch(9)), indices(other.batch(9)));
}

TEST(PromptStream, AsGivenKeepsTheOrder) {
  const PromptStream stream(numbered(3), 2, 1, Order::kAsGiven);
  EXPECT_EQ(indices(stream.batch(1)), (std::vector<int64_t>{0, 1}));
  EXPECT_EQ(indices(stream.batch(2)), (std::vector<int64_t>{2, 0}));
}

}  // namespace
}  // namespace covrl
