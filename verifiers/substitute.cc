#include "verifiers/substitute.h"

#include <utility>

namespace covrl::math {

bool is_named(const Node& node, const std::string& name) {
  return (node.is(NodeKind::kSymbol) || node.is(NodeKind::kConstant)) && node.text == name;
}

const Node* substituted(const Node& node, const std::string& name, const Node& value, Arena& arena,
                        WorkBudget& budget) {
  budget.spend(20);
  if (is_named(node, name)) return &value;
  if (node.args.empty()) return &node;
  Node copy = node;
  for (const Node*& arg : copy.args) arg = substituted(*arg, name, value, arena, budget);
  return arena.add(std::move(copy));
}

}  // namespace covrl::math
