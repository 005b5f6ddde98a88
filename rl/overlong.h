// Completions near and at the length limit (DAPO, arXiv 2503.14476, section 3.4): a penalty that
// grows over the last tokens, and leaving out of the loss what was cut off.
#pragma once

#include <cstdint>
#include <vector>

#include "core/config.h"
#include "core/metrics.h"
#include "rl/batch.h"
#include "rollout/types.h"

namespace covrl {

struct OverlongBufferConfig {
  bool enable = false;
  int64_t len = 0;  // tokens
  double penalty_factor = 1.0;
  bool operator==(const OverlongBufferConfig&) const = default;
  void describe(config::Visitor& v);
};

// min(-(length - (max_length - len)) / len * penalty_factor, 0).
double overlong_penalty(const OverlongBufferConfig& config, int64_t max_length, int64_t length);

// Adds the penalty to the reward of every usable trajectory, when enabled.
void shape_overlong(const OverlongBufferConfig& config, int64_t max_length,
                    std::vector<Group>& groups);

// Metrics, when enabled, over the usable trajectories: overlong/penalty (mean) and overlong/share
// (of those with a penalty).
void add_overlong_metrics(const OverlongBufferConfig& config, int64_t max_length,
                          const std::vector<Group>& groups, Metrics& metrics);

// Takes the tokens of truncated sequences out of the loss mask. Metric: overlong/filtered, the
// number of sequences.
void leave_out_truncated(Batch& batch, Metrics& metrics);

}  // namespace covrl
