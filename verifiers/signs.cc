#include "verifiers/signs.h"

#include <algorithm>

namespace covrl::math {

namespace {

bool has_both(const Node& node) {
  return node.is(NodeKind::kPlusMinus) ||
         std::any_of(node.args.begin(), node.args.end(),
                     [](const Node* arg) { return has_both(*arg); });
}

const Node* reading(const Node& node, bool upper, Arena& arena, WorkBudget& budget) {
  budget.spend(20);
  if (!has_both(node)) return &node;
  if (node.is(NodeKind::kPlusMinus)) {
    const Node* inside = reading(node.arg(0), upper, arena, budget);
    const bool minus = (node.text == "-") == upper;
    return minus ? arena.make(NodeKind::kNegate, {inside}) : inside;
  }
  Node copy = node;
  for (const Node*& arg : copy.args) arg = reading(*arg, upper, arena, budget);
  return arena.add(std::move(copy));
}

}  // namespace

std::vector<const Node*> both_signs(const Node& node, Arena& arena, WorkBudget& budget) {
  if (!has_both(node)) return {&node};
  return {reading(node, true, arena, budget), reading(node, false, arena, budget)};
}

}  // namespace covrl::math
