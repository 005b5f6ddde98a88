#include "rl/loss/policy_loss.h"

#include "core/error.h"

namespace covrl {

void PolicyLossConfig::describe(config::Visitor& v) {
  v.word("kind", kind, "Policy loss: clip is PPO's clipped surrogate, as in GRPO and DAPO.",
         policy_loss_names());
  v.field("clip_ratio_low", clip_ratio_low,
          "The ratio new/old is clipped below at 1 - clip_ratio_low.", {0, 1});
  v.field("clip_ratio_high", clip_ratio_high,
          "The ratio new/old is clipped above at 1 + clip_ratio_high.", {0, 100});
  v.field("clip_ratio_c", clip_ratio_c,
          "Dual clip: a negative advantage costs at most clip_ratio_c times its size. 0: off.",
          {0, 1e6});
  v.check(clip_ratio_c == 0 || clip_ratio_c > 1 + clip_ratio_high, "clip_ratio_c",
          concat("is ", clip_ratio_c, ", inside the clip range that ends at ", 1 + clip_ratio_high,
                 "; give a larger value, or 0 to turn it off"));
}

}  // namespace covrl
