#include "core/error.h"
#include "rl/loss/policy_loss.h"

// One line a loss: NAME is made by make_NAME_loss(config), defined in NAME.cc.
#define COVRL_POLICY_LOSSES(ROW) ROW(clip)

namespace covrl {

#define COVRL_DECLARE(NAME) \
  std::unique_ptr<PolicyLoss> make_##NAME##_loss(const PolicyLossConfig& config);
COVRL_POLICY_LOSSES(COVRL_DECLARE)
#undef COVRL_DECLARE

std::vector<std::string> policy_loss_names() {
#define COVRL_NAME(NAME) #NAME,
  return {COVRL_POLICY_LOSSES(COVRL_NAME)};
#undef COVRL_NAME
}

std::unique_ptr<PolicyLoss> make_policy_loss(const PolicyLossConfig& config) {
#define COVRL_MAKE(NAME) \
  if (config.kind == #NAME) return make_##NAME##_loss(config);
  COVRL_POLICY_LOSSES(COVRL_MAKE)
#undef COVRL_MAKE
  throw_usage("policy loss '", config.kind, "' is not known (policy_loss.kind)");
}

}  // namespace covrl
