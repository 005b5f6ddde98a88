// A problem set, ready to be asked.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "policy/pretrained.h"
#include "rl/evaluation/eval_rules.h"
#include "rollout/data_config.h"
#include "rollout/types.h"
#include "verifiers/verifier.h"

namespace covrl {

struct EvalSet {
  std::string name;
  std::vector<Prompt> prompts;  // as the set's prompt style and examples have them
  EvalRules rules;
  std::vector<int64_t> stop_token_ids = {};  // beside the model's own
  std::vector<std::string> stop_texts = {};
  std::shared_ptr<const Verifier> verifier = nullptr;  // null: the sampler's
  std::string judge = {};                              // its name (rl/judge_text.h)
};

// Who judges each set, by its name: `main_judge` where the verifier is the sampler's.
std::map<std::string, std::string> judges_of(const std::vector<EvalSet>& sets,
                                             const std::string& main_judge);

// `data`: the prompt form that the style `given` means. `options`: of the verifiers that sets name.
// Warns of problems that are dropped as too long, and of those that are themselves an example.
EvalSet load_eval_set(const EvalFile& file, const DataConfig& data, const Pretrained& pretrained,
                      const VerifierOptions& options);

}  // namespace covrl
