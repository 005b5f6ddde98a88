// Which prompts are trained on: an endless stream of epochs, each in its own order, cut into
// batches. A batch may span epochs, so that no row is dropped and a batch may be larger than the
// data. A function of (seed, number) alone.
#pragma once

#include <cstdint>
#include <vector>

#include "rollout/types.h"

namespace covrl {

enum class Order { kShuffled, kAsGiven };

class PromptStream {
 public:
  PromptStream(std::vector<Prompt> prompts, int64_t batch_size, uint64_t seed, Order order);
  // Batch number `number` (from 1); without dynamic sampling that of rollout step `number`.
  std::vector<Prompt> batch(int64_t number) const;
  const std::vector<Prompt>& prompts() const { return prompts_; }

 private:
  std::vector<Prompt> prompts_;
  int64_t batch_size_;
  uint64_t seed_;
  Order order_;
};

}  // namespace covrl
