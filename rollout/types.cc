#include "rollout/types.h"

#include <map>
#include <numeric>
#include <utility>

#include "core/error.h"

namespace covrl {

const char* finish_reason_name(FinishReason reason) {
  switch (reason) {
    case FinishReason::kStop:
      return "stop";
    case FinishReason::kLength:
      return "length";
    case FinishReason::kFailed:
      return "failed";
  }
  COVRL_CHECK(false, "finish reason ", static_cast<int>(reason));
}

std::string prompt_text(const Prompt& prompt) {
  if (prompt.messages.empty()) return prompt.text;
  std::string text;
  for (const Message& message : prompt.messages)
    if (message.role != "system") text += (text.empty() ? "" : "\n") + message.content;
  return text;
}

bool is_usable(const Trajectory& trajectory) {
  return trajectory.finish_reason != FinishReason::kFailed &&
         trajectory.verdict.outcome != Outcome::kFailed;
}

std::optional<double> mean_entropy(const Trajectory& trajectory) {
  if (trajectory.entropy.empty()) return std::nullopt;
  const double sum = std::accumulate(trajectory.entropy.begin(), trajectory.entropy.end(), 0.0);
  return sum / static_cast<double>(trajectory.entropy.size());
}

void merge_copies(std::vector<Group>& groups) {
  std::map<std::pair<std::vector<int64_t>, std::string>, uint64_t> first;
  for (Group& group : groups)
    group.merged_slot =
        first.try_emplace({group.prompt.tokens, group.prompt.gold}, group.slot).first->second;
}

}  // namespace covrl
