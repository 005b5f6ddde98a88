#include "entropy/control_config.h"

#include <algorithm>

#include "entropy/control.h"

namespace covrl {

bool EntropyControlConfig::has(const std::string& control) const {
  return std::find(kind.begin(), kind.end(), control) != kind.end();
}

void EntropyControlConfig::describe(config::Visitor& v) {
  const EntropyControlConfig defaults;
  v.words("kind", kind, "What keeps the policy exploring; several are applied in the order given.",
          entropy_control_names());
  v.word("score", score,
         "Log-probs that tokens are selected by. current: the policy's being updated, at the cost "
         "of a pass without gradient in every update after the first; old: the behaviour's.",
         {"current", "old"});
  v.word("scope", scope,
         "Tokens that a selection is made among. mini: the whole optimizer mini-batch over all "
         "ranks; micro: each micro-batch, as the reference implementations do.",
         {"mini", "micro"});
  v.field("entropy_coeff", entropy_coeff,
          "bonus: loss -= entropy_coeff * token entropy (nats); negative values make the policy "
          "more certain.",
          {-1, 1});
  v.field("rescore", rescore,
          "After the updates of a step, one more pass over its batch without gradient: the change "
          "of entropy in the states that were sampled, and its first-order value "
          "(entropy_ctrl/delta_same_states, delta_first_order).");
  v.check(kind.size() < 2 || !has("none"), "kind", "none stands alone; remove it or the others");
  v.check(has("bonus") || entropy_coeff == defaults.entropy_coeff, "entropy_coeff",
          "has no effect without kind bonus; set kind: bonus, or remove the key");
  v.check(!has("bonus") || entropy_coeff != 0, "entropy_coeff",
          "is 0, so that the bonus has no effect; give a coefficient (0.001 in the 1-shot paper), "
          "or set kind: none");
}

}  // namespace covrl
