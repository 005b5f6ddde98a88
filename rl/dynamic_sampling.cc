#include "rl/dynamic_sampling.h"

#include <algorithm>
#include <limits>

#include "core/error.h"

namespace covrl {
namespace {

double metric_of(const Trajectory& trajectory, const std::string& metric) {
  if (metric == "reward") return trajectory.reward;
  return trajectory.verdict.outcome == Outcome::kCorrect ? 1 : 0;
}

}  // namespace

void FilterGroupsConfig::describe(config::Visitor& v) {
  v.field("enable", enable,
          "Dynamic sampling: keep only prompts whose completions differ, and sample further "
          "prompts until the batch is full.");
  v.word("metric", metric, "What must differ: acc, correct or not; or reward, shaping included.",
         {"acc", "reward"});
  v.field("max_num_gen_batches", max_num_gen_batches,
          "Batches of trainer.train_batch_size prompts to sample in a step before the run stops.",
          {1, 1e6});
  v.check(enable || *this == FilterGroupsConfig(), "enable",
          "is false, so that the other keys of the section have no effect; set it true, or remove "
          "them");
}

bool has_spread(const Group& group, const std::string& metric) {
  double low = std::numeric_limits<double>::infinity(), high = -low;
  for (const Trajectory& trajectory : group.trajectories) {
    if (!is_usable(trajectory)) continue;
    const double value = metric_of(trajectory, metric);
    low = std::min(low, value);
    high = std::max(high, value);
  }
  return high > low || (group.trajectories.size() == 1 && high == low);
}

DynamicSample sample_dynamically(const FilterGroupsConfig& config, size_t num_groups,
                                 const std::function<std::vector<Group>(int64_t batch)>& generate) {
  DynamicSample sample;
  while (sample.kept.size() < num_groups && sample.num_gen_batches < config.max_num_gen_batches) {
    for (Group& group : generate(sample.num_gen_batches)) {
      if (!config.enable || has_spread(group, config.metric))
        sample.kept.push_back(sample.sampled.size());
      sample.sampled.push_back(std::move(group));
    }
    ++sample.num_gen_batches;
  }
  return sample;
}

void check_enough_kept(const FilterGroupsConfig& config, size_t num_groups,
                       const DynamicSample& sample) {
  if (sample.kept.size() >= num_groups) return;
  throw_runtime("dynamic sampling: ", sample.num_gen_batches, " batches of prompts gave ",
                sample.kept.size(), " groups that differ in ", config.metric, " of the ",
                num_groups,
                " wanted; the problems are too hard or too easy for the policy. Raise "
                "algorithm.filter_groups.max_num_gen_batches, give other data, or turn "
                "algorithm.filter_groups.enable off.");
}

void add_dynamic_metrics(const FilterGroupsConfig& config, const DynamicSample& sample,
                         Metrics& metrics) {
  if (!config.enable) return;
  metrics.set("train/num_gen_batches", static_cast<double>(sample.num_gen_batches));
  metrics.set("train/kept_group_share",
              static_cast<double>(sample.kept.size()) / static_cast<double>(sample.sampled.size()));
}

}  // namespace covrl
