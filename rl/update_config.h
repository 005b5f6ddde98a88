// How a rollout batch is cut into optimizer updates; of actor and critic alike.
#pragma once

#include <cstdint>

#include "core/config.h"

namespace covrl {

struct UpdateConfig {
  int64_t ppo_mini_batch_size = 0;  // prompts (groups) per optimizer update; 0: the whole batch
  int64_t ppo_epochs = 1;
  int64_t ppo_max_tokens = 16384;  // token budget of a micro-batch: memory only
  bool operator==(const UpdateConfig&) const = default;

 protected:
  void describe_updates(config::Visitor& v) {
    v.field(
        "ppo_mini_batch_size", ppo_mini_batch_size,
        "Prompts (whole groups) per optimizer update. 0: the whole batch, one update per rollout.",
        {0, 1e9});
    v.field("ppo_epochs", ppo_epochs, "Passes over each rollout batch.", {1, 1000});
    v.field("ppo_max_tokens", ppo_max_tokens,
            "Tokens per micro-batch: memory only, the result does not depend on it.", {1, 1e9});
  }
};

}  // namespace covrl
