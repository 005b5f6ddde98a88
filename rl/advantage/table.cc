#include "core/error.h"
#include "rl/advantage/advantage.h"

// One line an estimator: NAME is made by make_NAME(config), defined in NAME.cc.
#define COVRL_ADVANTAGES(ROW) \
  ROW(grpo)                   \
  ROW(dr_grpo)                \
  ROW(rloo)

namespace covrl {

#define COVRL_DECLARE(NAME) \
  std::unique_ptr<AdvantageEstimator> make_##NAME(const AdvantageConfig& config);
COVRL_ADVANTAGES(COVRL_DECLARE)
#undef COVRL_DECLARE

void AdvantageConfig::describe(config::Visitor& v) {
  v.word("adv_estimator", adv_estimator, "Advantage estimator.", advantage_names());
}

std::vector<std::string> advantage_names() {
#define COVRL_NAME(NAME) #NAME,
  return {COVRL_ADVANTAGES(COVRL_NAME)};
#undef COVRL_NAME
}

std::unique_ptr<AdvantageEstimator> make_advantage(const AdvantageConfig& config) {
#define COVRL_MAKE(NAME) \
  if (config.adv_estimator == #NAME) return make_##NAME(config);
  COVRL_ADVANTAGES(COVRL_MAKE)
#undef COVRL_MAKE
  throw_usage("advantage estimator '", config.adv_estimator, "' is not known (adv_estimator)");
}

}  // namespace covrl
