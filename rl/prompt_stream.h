// Which prompts a step trains on: an endless stream of epochs, each in its own order, cut into
// batches. A batch may span epochs, so that no row is dropped and a batch may be larger than the
// data. A function of (seed, step) alone.
#pragma once

#include <cstdint>
#include <vector>

#include "rollout/types.h"

namespace covrl {

enum class Order { kShuffled, kAsGiven };

class PromptStream {
 public:
  PromptStream(std::vector<Prompt> prompts, int64_t batch_size, uint64_t seed, Order order);
  // Prompts of rollout step `step` (from 1).
  std::vector<Prompt> batch(int64_t step) const;

 private:
  std::vector<Prompt> prompts_;
  int64_t batch_size_;
  uint64_t seed_;
  Order order_;
};

}  // namespace covrl
