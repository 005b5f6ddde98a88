#include "core/cli.h"
#include "core/error.h"
#include "rl/advantage/advantage.h"

// One line an estimator: NAME is made by make_NAME(), defined in NAME.cc.
#define COVRL_ADVANTAGES(ROW) \
  ROW(grpo)                   \
  ROW(dr_grpo)                \
  ROW(rloo)

namespace covrl {

#define COVRL_DECLARE(NAME) std::unique_ptr<AdvantageEstimator> make_##NAME();
COVRL_ADVANTAGES(COVRL_DECLARE)
#undef COVRL_DECLARE

std::vector<std::string> advantage_names() {
#define COVRL_NAME(NAME) #NAME,
  return {COVRL_ADVANTAGES(COVRL_NAME)};
#undef COVRL_NAME
}

std::unique_ptr<AdvantageEstimator> make_advantage(const std::string& name) {
#define COVRL_MAKE(NAME) \
  if (name == #NAME) return make_##NAME();
  COVRL_ADVANTAGES(COVRL_MAKE)
#undef COVRL_MAKE
  std::string known;
  for (const std::string& candidate : advantage_names())
    known += (known.empty() ? "" : ", ") + candidate;
  const std::string near = cli::nearest(name, advantage_names());
  throw_usage("advantage estimator '", name, "' is not known",
              near.empty() ? "" : "; did you mean '" + near + "'?", " (known: ", known, ")");
}

}  // namespace covrl
