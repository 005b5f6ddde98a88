// Dynamic sampling (DAPO, arXiv 2503.14476, section 3.2): prompts whose completions all score alike
// give no gradient; further prompts are sampled in their place until the batch is full.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "core/config.h"
#include "core/metrics.h"
#include "rollout/types.h"

namespace covrl {

struct FilterGroupsConfig {
  bool enable = false;
  std::string metric = "acc";  // "acc": correct or not; "reward": with what shaping adds
  int64_t max_num_gen_batches = 10;
  bool operator==(const FilterGroupsConfig&) const = default;
  void describe(config::Visitor& v);
};

// True when the usable trajectories of the group differ in the metric, or the group is one
// trajectory, which is usable.
bool has_spread(const Group& group, const std::string& metric);

struct DynamicSample {
  std::vector<Group> sampled;  // all, in the order of sampling
  std::vector<size_t> kept;    // places in `sampled` of the groups with spread
  int64_t num_gen_batches = 0;
};

// Calls generate(0), generate(1), ... for batches of groups until num_groups or more are kept, or
// max_num_gen_batches are sampled. Without `enable` every group is, and one batch suffices.
DynamicSample sample_dynamically(const FilterGroupsConfig& config, size_t num_groups,
                                 const std::function<std::vector<Group>(int64_t batch)>& generate);

// Error(kRuntime) when fewer than num_groups were kept.
void check_enough_kept(const FilterGroupsConfig& config, size_t num_groups,
                       const DynamicSample& sample);

// With `enable`: train/num_gen_batches, and train/kept_group_share, of all sampled groups.
void add_dynamic_metrics(const FilterGroupsConfig& config, const DynamicSample& sample,
                         Metrics& metrics);

}  // namespace covrl
