#include "rl/evaluation/evaluate.h"

#include <ATen/record_function.h>

#include <algorithm>
#include <map>
#include <set>

#include "core/error.h"
#include "core/hash.h"

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

// Equal prompts, which some files hold in order to sample more, are told apart by their number: in
// order of their golds, so that of a file in another order no problem changes its responses.
std::vector<uint64_t> draw_keys(const std::vector<Prompt>& prompts) {
  std::map<std::vector<int64_t>, std::vector<size_t>> places;
  for (size_t i = 0; i < prompts.size(); ++i) places[prompts[i].tokens].push_back(i);
  std::vector<uint64_t> keys(prompts.size());
  for (auto& [tokens, equal] : places) {
    std::stable_sort(equal.begin(), equal.end(),
                     [&](size_t a, size_t b) { return prompts[a].gold < prompts[b].gold; });
    for (size_t n = 0; n < equal.size(); ++n)
      keys[equal[n]] = hash_bytes(tokens.data(), tokens.size() * sizeof(int64_t), /*seed=*/n);
  }
  return keys;
}

// What greedy and sampled responses share.
RolloutPlan plan_of(const EvalSet& set, const SamplingParams& base) {
  RolloutPlan plan;
  plan.params = base;
  if (set.rules.max_new_tokens > 0) plan.params.max_new_tokens = set.rules.max_new_tokens;
  plan.params.stop_token_ids.insert(plan.params.stop_token_ids.end(), set.stop_token_ids.begin(),
                                    set.stop_token_ids.end());
  plan.stop_texts = set.stop_texts;
  plan.verifier = set.verifier.get();
  return plan;
}

}  // namespace

Evaluator::Evaluator(std::vector<EvalSet> sets, SamplingParams base)
    : sets_(std::move(sets)), base_(std::move(base)) {
  for (EvalSet& set : sets_) make_ids_unique(set);
  base_.stream = Stream::kEvaluation;
}

std::vector<EvalRow> Evaluator::run(Sampler& sampler, const EvalOrigin& origin,
                                    int64_t weight_version) const {
  RECORD_USER_SCOPE("evaluate");
  std::vector<EvalRow> rows;
  for (const EvalSet& set : sets_) {
    RolloutPlan plan = plan_of(set, base_);
    plan.draw_keys = draw_keys(set.prompts);
    plan.weight_version = weight_version;
    std::vector<Group> sampled, greedy;
    if (set.rules.greedy) {
      plan.params.filter = {.temperature = 0};
      greedy = sampler.sample(set.prompts, plan);
    }
    if (set.rules.samples > 0) {
      plan.params.filter = {.temperature = set.rules.temperature, .top_p = set.rules.top_p};
      plan.num_samples = set.rules.samples;
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
