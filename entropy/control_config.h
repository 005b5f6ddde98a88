// The keys of actor.entropy_control. Every control's keys carry its name; a key of a control that
// is not chosen is refused.
#pragma once

#include <string>
#include <vector>

#include "core/config.h"

namespace covrl {

struct EntropyControlConfig {
  std::vector<std::string> kind = {"none"};  // table.cc; several are applied in this order
  std::string score = "current";  // log-probs to select by: "current", "old" (control_stack.h)
  std::string scope = "mini";     // population of a selection: "mini", "micro"
  double entropy_coeff = 0.0;     // bonus: loss -= coeff * entropy; either sign
  bool rescore = false;           // measure the change of entropy in the same states
  void describe(config::Visitor& v);

  bool has(const std::string& control) const;
};

}  // namespace covrl
