// How a rollout batch is cut into optimizer updates; of actor and critic alike.
#pragma once

#include <cstdint>

#include "core/config.h"

namespace covrl {

// What a mini-batch is counted in: prompts, each with all its completions, or completions, which
// may leave those of one prompt to two updates.
enum class MiniBatchUnit { kPrompts, kResponses };

struct UpdateConfig {
  int64_t ppo_mini_batch_size = 0;  // per optimizer update; 0: the whole batch
  MiniBatchUnit ppo_mini_batch_unit = MiniBatchUnit::kPrompts;
  int64_t ppo_epochs = 1;
  int64_t ppo_max_tokens = 16384;  // token budget of a micro-batch: memory only
  bool operator==(const UpdateConfig&) const = default;

 protected:
  void describe_updates(config::Visitor& v) {
    v.field("ppo_mini_batch_size", ppo_mini_batch_size,
            "Prompts or responses (ppo_mini_batch_unit) per optimizer update. 0: the whole batch, "
            "one update per rollout.",
            {0, 1e9});
    v.choice("ppo_mini_batch_unit", ppo_mini_batch_unit,
             "What ppo_mini_batch_size counts. prompts: whole groups; responses: completions, "
             "rollout.n a prompt, whose group may be cut: advantages are those of the whole group.",
             {{"prompts", MiniBatchUnit::kPrompts}, {"responses", MiniBatchUnit::kResponses}});
    v.field("ppo_epochs", ppo_epochs, "Passes over each rollout batch.", {1, 1000});
    v.field("ppo_max_tokens", ppo_max_tokens,
            "Tokens per micro-batch: memory only, the result does not depend on it.", {1, 1e9});
    v.check(ppo_mini_batch_size > 0 || ppo_mini_batch_unit == MiniBatchUnit::kPrompts,
            "ppo_mini_batch_unit",
            "has no effect with ppo_mini_batch_size 0, the whole batch; give a size, or remove the "
            "key");
  }
};

}  // namespace covrl
