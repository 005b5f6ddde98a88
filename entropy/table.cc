#include "core/error.h"
#include "entropy/control.h"

// One line a control: NAME is made by make_NAME_control(config), defined in NAME.cc.
#define COVRL_ENTROPY_CONTROLS(ROW) \
  ROW(none)                         \
  ROW(bonus)                        \
  ROW(adaptive_bonus)               \
  ROW(clip_cov)                     \
  ROW(kl_cov)                       \
  ROW(top_entropy)

namespace covrl {

#define COVRL_DECLARE(NAME) \
  std::unique_ptr<EntropyControl> make_##NAME##_control(const EntropyControlConfig& config);
COVRL_ENTROPY_CONTROLS(COVRL_DECLARE)
#undef COVRL_DECLARE

std::vector<std::string> entropy_control_names() {
#define COVRL_NAME(NAME) #NAME,
  return {COVRL_ENTROPY_CONTROLS(COVRL_NAME)};
#undef COVRL_NAME
}

std::unique_ptr<EntropyControl> make_entropy_control(const std::string& kind,
                                                     const EntropyControlConfig& config) {
#define COVRL_MAKE(NAME) \
  if (kind == #NAME) return make_##NAME##_control(config);
  COVRL_ENTROPY_CONTROLS(COVRL_MAKE)
#undef COVRL_MAKE
  throw_usage("entropy control '", kind, "' is not known (entropy_control.kind)");
}

}  // namespace covrl
