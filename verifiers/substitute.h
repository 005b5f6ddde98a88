// One name in the place of another.
#pragma once

#include <string>

#include "verifiers/expression.h"
#include "verifiers/work_budget.h"

namespace covrl::math {

// The symbol of that name; i and e too, which are constants elsewhere.
bool is_named(const Node& node, const std::string& name);

// `node` with `value` wherever the symbol stands.
const Node* substituted(const Node& node, const std::string& name, const Node& value, Arena& arena,
                        WorkBudget& budget);

}  // namespace covrl::math
