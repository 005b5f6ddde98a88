// \sum_{k=1}^{5} k^2 and \prod: those with whole bounds are written out.
#pragma once

#include "verifiers/expression.h"
#include "verifiers/work_budget.h"

namespace covrl::math {

// The tree with each sum and product of at most 1,000 terms as the terms themselves; the node alone
// when it has none. What has other bounds, or an index in a subscript (a_k), stays and is compared
// by its form. Throws OverBudget.
const Node* without_finite_sums(const Node& node, Arena& arena, WorkBudget& budget);

}  // namespace covrl::math
