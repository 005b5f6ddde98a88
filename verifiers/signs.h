// \pm and \mp.
#pragma once

#include "verifiers/expression.h"
#include "verifiers/work_budget.h"

namespace covrl::math {

// The two readings of a node with \pm (upper signs, lower signs); the node alone without.
std::vector<const Node*> both_signs(const Node& node, Arena& arena, WorkBudget& budget);

}  // namespace covrl::math
