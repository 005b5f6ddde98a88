#include "rl/overlong.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "rl/summary.h"

namespace covrl {

void OverlongBufferConfig::describe(config::Visitor& v) {
  v.field("enable", enable, "Penalise completions that come near the length limit.");
  v.field("len", len, "Last tokens before rollout.max_new_tokens, over which the penalty grows.",
          {0, 1e7});
  v.field("penalty_factor", penalty_factor, "Penalty at the limit, taken off the reward.",
          {1e-9, 1e6});
  v.check(!enable || len > 0, "len",
          "is 0 while enable is true; give the number of tokens over which the penalty grows");
  v.check(enable || *this == OverlongBufferConfig(), "enable",
          "is false, so that the other keys of the section have no effect; set it true, or remove "
          "them");
}

double overlong_penalty(const OverlongBufferConfig& config, int64_t max_length, int64_t length) {
  const auto over = static_cast<double>(length - (max_length - config.len));
  return std::min(-over / static_cast<double>(config.len) * config.penalty_factor, 0.0);
}

namespace {

template <class Groups, class Action>
void for_each_usable(Groups& groups, const Action& action) {
  for (auto& group : groups)
    for (auto& trajectory : group.trajectories)
      if (is_usable(trajectory)) action(trajectory);
}

int64_t length_of(const Trajectory& trajectory) {
  return static_cast<int64_t>(trajectory.tokens.size());
}

}  // namespace

void shape_overlong(const OverlongBufferConfig& config, int64_t max_length,
                    std::vector<Group>& groups) {
  if (!config.enable) return;
  for_each_usable(groups, [&](Trajectory& trajectory) {
    trajectory.reward += overlong_penalty(config, max_length, length_of(trajectory));
  });
}

void add_overlong_metrics(const OverlongBufferConfig& config, int64_t max_length,
                          const std::vector<Group>& groups, Metrics& metrics) {
  if (!config.enable) return;
  Summary penalty, share;
  for_each_usable(groups, [&](const Trajectory& trajectory) {
    const double value = overlong_penalty(config, max_length, length_of(trajectory));
    penalty.add(value);
    share.add(value < 0 ? 1 : 0);
  });
  metrics.set("overlong/penalty", penalty.mean());
  metrics.set("overlong/share", share.mean());
}

void leave_out_truncated(Batch& batch, Metrics& metrics) {
  at::Tensor mask_T = batch.loss_mask_T.clone();
  bool* mask = mask_T.mutable_data_ptr<bool>();
  double num_filtered = 0;
  for (size_t n = 0; n < batch.truncated.size(); ++n) {
    if (!batch.truncated[n] || !batch.usable[n]) continue;
    std::fill(mask + batch.cu_seqlens[n], mask + batch.cu_seqlens[n + 1], false);
    num_filtered += 1;
  }
  batch.loss_mask_T = mask_T;
  metrics.set("overlong/filtered", num_filtered);
}

}  // namespace covrl
