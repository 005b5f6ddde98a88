#include "entropy/control.h"

namespace covrl {
namespace {

class NoControl : public EntropyControl {
 public:
  bool fuse(const at::Tensor&, FusedControls&) const override { return true; }
};

}  // namespace

std::unique_ptr<EntropyControl> make_none_control(const EntropyControlConfig&) {
  return std::make_unique<NoControl>();
}

}  // namespace covrl
