#include "entropy/control.h"

#include "core/error.h"

namespace covrl {

void EntropyControlConfig::describe(config::Visitor& v) {
  v.word("kind", kind, "What keeps the policy exploring: nothing, or an entropy bonus in the loss.",
         entropy_control_names());
  v.field("entropy_coeff", entropy_coeff,
          "bonus: loss -= entropy_coeff * token entropy (nats); negative values make the policy "
          "more certain.",
          {-1, 1});
  v.check(kind == "bonus" || entropy_coeff == EntropyControlConfig().entropy_coeff, "entropy_coeff",
          concat("has no effect with kind ", kind, "; set kind: bonus, or remove the key"));
  v.check(kind != "bonus" || entropy_coeff != 0, "entropy_coeff",
          "is 0, so that the bonus has no effect; give a coefficient (0.001 in the 1-shot paper), "
          "or set kind: none");
}

}  // namespace covrl
