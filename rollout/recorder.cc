#include "rollout/recorder.h"

#include <algorithm>

#include "rollout/degenerate_text.h"

namespace covrl {

namespace {

Json to_json(int64_t step, const Prompt& prompt, size_t sample, const Trajectory& trajectory) {
  const bool judged = trajectory.verdict.outcome != Outcome::kFailed;
  const std::optional<double> entropy = mean_entropy(trajectory);
  return {{"step", step},
          {"id", prompt.id},
          {"index", prompt.index},
          {"sample", sample},
          {"prompt", prompt_text(prompt)},
          {"response", trajectory.text},
          {"gold", prompt.gold},
          {"extracted", trajectory.verdict.extracted},
          {"outcome", outcome_name(trajectory.verdict.outcome)},
          {"reward", judged ? Json(trajectory.reward) : Json(nullptr)},
          {"finish_reason", finish_reason_name(trajectory.finish_reason)},
          {"num_tokens", trajectory.tokens.size()},
          {"mean_entropy", entropy ? Json(*entropy) : Json(nullptr)},
          {"degenerate", is_degenerate(trajectory.tokens)},
          {"weight_version", trajectory.weight_version}};
}

}  // namespace

Recorder::Recorder(const std::string& path, int64_t resume_step) : log_(path, resume_step) {}

void Recorder::write(int64_t step, const std::vector<Group>& groups, int64_t limit,
                     const std::string& first_id) {
  std::vector<const Group*> order;
  for (const Group& group : groups) order.push_back(&group);
  std::stable_partition(order.begin(), order.end(),
                        [&](const Group* group) { return group->prompt.id == first_id; });
  int64_t num_written = 0;
  for (const Group* group : order)
    for (size_t sample = 0; sample < group->trajectories.size(); ++sample) {
      if (limit >= 0 && num_written++ >= limit) break;
      log_.add(to_json(step, group->prompt, sample, group->trajectories[sample]));
    }
  log_.flush();
}

}  // namespace covrl
