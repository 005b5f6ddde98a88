#include "rl/prompt_stream.h"

#include "core/error.h"
#include "core/rng.h"

namespace covrl {

PromptStream::PromptStream(std::vector<Prompt> prompts, int64_t batch_size, uint64_t seed,
                           Order order)
    : prompts_(std::move(prompts)), batch_size_(batch_size), seed_(seed), order_(order) {
  COVRL_CHECK(!prompts_.empty() && batch_size_ > 0, "prompts ", prompts_.size(), " batch ",
              batch_size_);
}

std::vector<Prompt> PromptStream::batch(int64_t number) const {
  const auto size = static_cast<int64_t>(prompts_.size());
  std::vector<Prompt> result;
  std::vector<int64_t> order;
  int64_t order_epoch = -1;
  for (int64_t place = (number - 1) * batch_size_; place < number * batch_size_; ++place) {
    int64_t row = place % size;
    if (order_ == Order::kShuffled) {
      if (const int64_t epoch = place / size; epoch != order_epoch) {
        Sequence sequence(seed_, Stream::kShuffle, static_cast<uint64_t>(epoch));
        order = permutation(size, sequence);
        order_epoch = epoch;
      }
      row = order[static_cast<size_t>(row)];
    }
    result.push_back(prompts_[static_cast<size_t>(row)]);
  }
  return result;
}

}  // namespace covrl
