#include "rl/sampler.h"

#include <ATen/record_function.h>

#include "rl/group_exchange.h"
#include "rollout/stop_texts.h"
#include "rollout/verify_groups.h"

namespace covrl {

namespace {

struct PromptDraws {
  uint64_t step, slot;
};

PromptDraws draws_of(const RolloutPlan& plan, size_t place) {
  if (plan.draw_keys.empty()) return {plan.step, plan.first_slot + place};
  return {plan.draw_keys[place] >> 32, plan.draw_keys[place] & 0xffffffff};
}

}  // namespace

Sampler::Sampler(const Model& model, const Tokenizer& tokenizer, const Verifier& verifier,
                 Cluster& cluster, EngineConfig engine, int num_verify_threads)
    : model_(model),
      tokenizer_(tokenizer),
      verifier_(verifier),
      cluster_(cluster),
      engine_(engine),
      num_verify_threads_(num_verify_threads) {}

std::vector<Group> Sampler::sample(const std::vector<Prompt>& prompts, const RolloutPlan& plan) {
  RECORD_USER_SCOPE("sample");
  std::vector<Group> mine;
  if (cluster_.samples()) mine = sample_share(prompts, plan);
  return exchange_groups(cluster_.world(), mine, prompts);
}

std::vector<Group> Sampler::sample_share(const std::vector<Prompt>& prompts,
                                         const RolloutPlan& plan) {
  std::vector<Group> groups;
  std::vector<SampleRequest> requests;
  const auto stride = static_cast<size_t>(cluster_.num_samplers());
  for (auto place = static_cast<size_t>(cluster_.sampler_index()); place < prompts.size();
       place += stride) {
    Group group;
    group.prompt = prompts[place];
    group.slot = place;
    group.trajectories.resize(static_cast<size_t>(plan.num_samples));
    groups.push_back(std::move(group));
    const auto [step, slot] = draws_of(plan, place);
    requests.push_back({prompts[place].tokens, step, slot, plan.num_samples, plan.first_sample});
  }
  const StopTexts stops(plan.stop_texts, tokenizer_);
  SamplingParams params = plan.params;
  if (!stops.empty())
    params.is_complete = [&](const std::vector<int64_t>& tokens) { return stops.reached(tokens); };
  Engine engine(model_, engine_);
  engine.generate(requests, params, [&](size_t request, int64_t sample, Trajectory&& trajectory) {
    trajectory.weight_version = plan.weight_version;
    trajectory.text =
        stops.before(tokenizer_.decode(trajectory.tokens, /*skip_special_tokens=*/true));
    groups[request].trajectories[static_cast<size_t>(sample - plan.first_sample)] =
        std::move(trajectory);
  });
  const Audit audit{plan.audit_verifier, plan.audit_share, plan.params.seed, plan.step,
                    plan.first_slot};
  const Verifier& verifier = plan.verifier != nullptr ? *plan.verifier : verifier_;
  verify_groups(groups, verifier, num_verify_threads_, audit);
  return groups;
}

}  // namespace covrl
