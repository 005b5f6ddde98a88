// The rollout of one step on this rank: its share of the prompts sampled, decoded and verified,
// then exchanged so that every rank holds all groups.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "policy/pretrained.h"
#include "rl/cluster.h"
#include "rollout/engine.h"
#include "rollout/types.h"
#include "verifiers/verifier.h"

namespace covrl {

struct RolloutPlan {
  SamplingParams params;
  int64_t num_samples = 1;
  int64_t first_sample = 0;              // draws of samples first..first+num-1
  uint64_t step = 0;                     // of the draws
  uint64_t first_slot = 0;               // added to a prompt's place to make the slot of its draws
  std::vector<uint64_t> draw_keys = {};  // of each prompt, in place of (step, slot), if not empty
  int64_t weight_version = 0;
  std::vector<std::string> stop_texts = {};  // end a completion, which goes on up to there
  const Verifier* verifier = nullptr;        // null: the sampler's own
  const Verifier* audit_verifier = nullptr;  // null: no audit (rollout/audit.h)
  double audit_share = 0;
};

class Sampler {
 public:
  // Objects are observed, not owned; they outlive the sampler.
  Sampler(const Model& model, const Tokenizer& tokenizer, const Verifier& verifier,
          Cluster& cluster, EngineConfig engine, int num_verify_threads);

  // Collective over the world. Groups of all prompts, in order; group.slot is the prompt's place.
  std::vector<Group> sample(const std::vector<Prompt>& prompts, const RolloutPlan& plan);

 private:
  std::vector<Group> sample_share(const std::vector<Prompt>& prompts, const RolloutPlan& plan);

  const Model& model_;
  const Tokenizer& tokenizer_;
  const Verifier& verifier_;
  Cluster& cluster_;
  EngineConfig engine_;
  int num_verify_threads_;
};

}  // namespace covrl
