#include "core/error.h"
#include "rl/advantage/advantage.h"

// One line an estimator: NAME is made by make_NAME(config), defined in NAME.cc.
#define COVRL_ADVANTAGES(ROW)       \
  ROW(grpo)                         \
  ROW(dr_grpo)                      \
  ROW(rloo)                         \
  ROW(reinforce_plus_plus)          \
  ROW(reinforce_plus_plus_baseline) \
  ROW(remax)                        \
  ROW(opo)                          \
  ROW(gpg)                          \
  ROW(grpo_passk)                   \
  ROW(gae)

namespace covrl {

#define COVRL_DECLARE(NAME) \
  std::unique_ptr<AdvantageEstimator> make_##NAME(const AdvantageConfig& config);
COVRL_ADVANTAGES(COVRL_DECLARE)
#undef COVRL_DECLARE

void AdvantageConfig::describe(config::Visitor& v) {
  v.word("adv_estimator", adv_estimator, "Advantage estimator.", advantage_names());
  v.field("gamma", gamma, "Discount of a token's return; of reinforce_plus_plus and gae.", {0, 1});
  v.field("lam", lam, "Weight of longer returns against the critic's value; of gae.", {0, 1});
  v.field("norm_adv_by_std_in_grpo", norm_adv_by_std_in_grpo,
          "Divide by the deviation of the group's scores; of grpo_passk.");
  const bool discounts = adv_estimator == "reinforce_plus_plus" || adv_estimator == "gae";
  v.check(gamma == 1 || discounts, "gamma",
          concat("is ", gamma, ", which has no effect with adv_estimator ", adv_estimator,
                 "; leave it out, or choose reinforce_plus_plus or gae"));
  v.check(lam == 1 || adv_estimator == "gae", "lam",
          concat("is ", lam, ", which has no effect with adv_estimator ", adv_estimator,
                 "; leave it out, or choose gae"));
  v.check(norm_adv_by_std_in_grpo || adv_estimator == "grpo_passk", "norm_adv_by_std_in_grpo",
          concat("is false, which has no effect with adv_estimator ", adv_estimator,
                 "; GRPO without the division is adv_estimator dr_grpo"));
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
