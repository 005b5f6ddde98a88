#include "entropy/control.h"

namespace covrl {

std::unique_ptr<EntropyControl> make_none_control(const EntropyControlConfig&) {
  return std::make_unique<EntropyControl>();
}

}  // namespace covrl
