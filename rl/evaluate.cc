#include "rl/evaluate.h"

#include <ATen/record_function.h>

#include <set>

#include "core/error.h"

namespace covrl {

namespace {

void make_ids_unique(EvalSet& set) {
  std::set<std::string> taken;
  for (Prompt& prompt : set.prompts) {
    if (taken.contains(prompt.id)) prompt.id = concat(prompt.id, ":", prompt.row);
    if (!taken.insert(prompt.id).second)
      throw_usage(set.name, ": row ", prompt.row, " has the id '", prompt.id,
                  "' of another; give each problem an id of its own");
  }
}

void add_rows(const EvalOrigin& origin, const EvalSet& set, const Group& group, Decoding decoding,
              std::vector<EvalRow>& rows) {
  int64_t sample = 0;
  for (const Trajectory& trajectory : group.trajectories)
    rows.push_back(make_eval_row(origin, set.name, group.prompt, decoding, sample++, trajectory));
}

}  // namespace

Evaluator::Evaluator(const EvalSection& config, std::vector<EvalSet> sets, SamplingParams base)
    : config_(config), sets_(std::move(sets)), base_(std::move(base)) {
  for (EvalSet& set : sets_) make_ids_unique(set);
  base_.stream = Stream::kEvaluation;
  if (config_.max_new_tokens > 0) base_.max_new_tokens = config_.max_new_tokens;
}

std::vector<EvalRow> Evaluator::run(Sampler& sampler, const EvalOrigin& origin,
                                    int64_t weight_version) const {
  RECORD_USER_SCOPE("evaluate");
  std::vector<EvalRow> rows;
  for (size_t index = 0; index < sets_.size(); ++index) {
    const EvalSet& set = sets_[index];
    RolloutPlan plan;
    plan.params = base_;
    plan.step = index;  // each set has draws of its own
    plan.weight_version = weight_version;
    std::vector<Group> sampled, greedy;
    if (config_.greedy) {
      plan.params.filter = {.temperature = 0};
      greedy = sampler.sample(set.prompts, plan);
    }
    if (config_.samples > 0) {
      plan.params.filter = {.temperature = config_.temperature, .top_p = config_.top_p};
      plan.num_samples = config_.samples;
      sampled = sampler.sample(set.prompts, plan);
    }
    for (size_t i = 0; i < set.prompts.size(); ++i) {
      if (!sampled.empty()) add_rows(origin, set, sampled[i], Decoding::kSampled, rows);
      if (!greedy.empty()) add_rows(origin, set, greedy[i], Decoding::kGreedy, rows);
    }
  }
  return rows;
}

}  // namespace covrl
