// Sets of reals: intervals, unions, inequalities in one variable, single points.
#include <algorithm>

#include "verifiers/compare.h"
#include "verifiers/probe.h"

namespace covrl::math {

namespace {

using Kind = NodeKind;

bool is_variable(const Node& node) { return node.is(Kind::kSymbol); }

bool is_distance(const Node& node) { return node.is(Kind::kCall, "abs") && has_symbols(node); }

bool is_less(Relation relation) {
  return relation == Relation::kLess || relation == Relation::kLessEqual;
}
bool has_ends(Relation relation) {
  return relation == Relation::kLessEqual || relation == Relation::kGreaterEqual;
}

}  // namespace

bool is_sure_interval(const Node& node) {
  return node.is(Kind::kTuple) && node.args.size() == 2 &&
         (node.open == '[' || node.close == ']' || infinity_sign(node.arg(0)) != 0 ||
          infinity_sign(node.arg(1)) != 0);
}

const Node* removed_set(const Node& node) {
  const bool is_difference = node.is(Kind::kAdd) && node.args.size() == 2 &&
                             node.arg(1).is(Kind::kNegate) && node.arg(1).arg(0).is(Kind::kSet);
  return is_difference ? node.arg(1).args[0] : nullptr;
}

std::optional<Comparer::Region> Comparer::region(const Node& node) {
  switch (node.kind) {
    case Kind::kTuple:
      if (node.args.size() != 2) return std::nullopt;
      return Region{{{infinity_sign(node.arg(0)) < 0 ? nullptr : node.args[0],
                      infinity_sign(node.arg(1)) > 0 ? nullptr : node.args[1],
                      node.open == '[' && infinity_sign(node.arg(0)) == 0,
                      node.close == ']' && infinity_sign(node.arg(1)) == 0}},
                    {}};
    case Kind::kUnion:
      return joined(node.args);
    case Kind::kSet: {
      Region points;
      for (const Node* point : elements(node)) points.pieces.push_back({point, point, true, true});
      return points;
    }
    case Kind::kList:
      return region_of_list(node);
    case Kind::kConstant:
      if (node.text == "reals") return Region{{Piece{}}, {}};
      return node.text == "emptyset" ? std::optional(Region{}) : std::nullopt;
    case Kind::kRelation:
      return region_of_relation(node);
    case Kind::kIntersection:
      return common(node.args);
    case Kind::kDifference:
      return without(node.arg(0), node.arg(1));
    case Kind::kAdd:  // \mathbb R - \{2\}
      return removed_set(node) ? without(node.arg(0), *removed_set(node)) : std::nullopt;
    default:
      return std::nullopt;
  }
}

// x > 3, 3 < x <= 4, x \ne 3, x \in S, x = 3
std::optional<Comparer::Region> Comparer::region_of_relation(const Node& node) {
  const size_t n = node.args.size();
  if (n == 2 && node.relations[0] == Relation::kIn && is_variable(node.arg(0))) {
    auto inside = region(node.arg(1));
    if (inside) inside->variable = node.arg(0).text;
    return inside;
  }
  if (n == 2 && (is_distance(node.arg(0)) || is_distance(node.arg(1))))
    return region_of_distance(node);
  size_t at = 0;  // of the variable
  while (at < n && !is_variable(node.arg(at))) ++at;
  if (at == n || n > 3 || (n == 3 && at != 1)) return std::nullopt;
  Region result{{}, node.arg(at).text};
  Piece piece;
  for (size_t i = 0; i < n; ++i) {
    if (i == at) continue;
    const Node* bound = node.args[i];
    if (has_symbols(*bound)) return std::nullopt;
    Relation relation = node.relations[std::min(i, at)];
    const bool bound_first = i < at;
    if (relation == Relation::kEqual) return Region{{{bound, bound, true, true}}, result.variable};
    if (relation == Relation::kNotEqual)
      return Region{{{nullptr, bound, false, false}, {bound, nullptr, false, false}},
                    result.variable};
    const bool less = is_less(relation), closed = has_ends(relation);
    const bool infinite = infinity_sign(*bound) != 0;
    const Node* end = infinite ? nullptr : bound;
    if (less == bound_first) {
      if (piece.low) return std::nullopt;  // 3 < x > 2
      piece.low = end;
      piece.low_closed = closed && !infinite;
    } else {
      if (piece.high) return std::nullopt;
      piece.high = end;
      piece.high_closed = closed && !infinite;
    }
  }
  result.pieces.push_back(piece);
  return result;
}

// What "or" joins; what holds at once; after commas also what cannot: x < 2, x > 3.
std::optional<Comparer::Region> Comparer::region_of_list(const Node& node) {
  const bool is_either = node.text == "or";
  if (!is_either)
    if (auto together = all_at_once(node.args)) return together;
  for (const Node* part : node.args)
    if (!is_inequality(*part) && !is_sure_interval(*part) && !(is_either && is_equation(*part)))
      return std::nullopt;
  if (is_either) return joined(node.args);
  const auto both = node.text == "," ? common(node.args) : std::nullopt;
  return both && both->pieces.empty() ? joined(node.args) : std::nullopt;
}

std::optional<Comparer::Region> Comparer::joined(const Nodes& nodes) {
  Region all;
  for (const Node* node : nodes) {
    const auto part = region(*node);
    if (!part) return std::nullopt;
    if (!all.variable.empty() && !part->variable.empty() && all.variable != part->variable)
      return std::nullopt;
    if (!part->variable.empty()) all.variable = part->variable;
    all.pieces.insert(all.pieces.end(), part->pieces.begin(), part->pieces.end());
  }
  return all;
}

// |x - a| < c is (a - c, a + c); |x - a| >= c is what that leaves.
std::optional<Comparer::Region> Comparer::region_of_distance(const Node& node) {
  const size_t at = is_distance(node.arg(0)) ? 0 : 1;
  const Node& inside = node.arg(at).arg(0);
  const Node* bound = node.args[1 - at];
  if (!is_inequality(node) || node.relations[0] == Relation::kNotEqual) return std::nullopt;
  if (has_symbols(*bound)) return std::nullopt;
  const Node* variable = &inside;
  const Node* centre = arena_.number(0);
  if (inside.is(Kind::kAdd) && inside.args.size() == 2) {
    const size_t which = is_variable(inside.arg(0)) ? 0 : 1;
    variable = inside.args[which];
    centre = arena_.make(Kind::kNegate, {inside.args[1 - which]});
  }
  const std::optional<int> sign = order(*bound, *arena_.number(0), budget_);
  if (!is_variable(*variable) || has_symbols(*centre) || !sign) return std::nullopt;
  const bool is_within = is_less(node.relations[0]) == (at == 0);
  const bool closed = has_ends(node.relations[0]) == is_within;  // of what is within
  Region region{{}, variable->text};
  if (*sign > 0 || (*sign == 0 && closed))
    region.pieces.push_back(
        {difference(*centre, *bound), arena_.make(Kind::kAdd, {centre, bound}), closed, closed});
  return is_within ? region : complement(region);
}

// x >= 2 and x < 5; x > 0, x \ne 5: what relations of one variable leave together. nullopt when one
// of them says it all or they leave nothing: then they are several answers.
std::optional<Comparer::Region> Comparer::all_at_once(const Nodes& nodes) {
  int num_inequalities = 0;
  for (const Node* node : nodes) {
    num_inequalities += is_inequality(*node) ? 1 : 0;
    if (!is_inequality(*node) &&
        !(node->is(Kind::kRelation) && node->relations[0] == Relation::kIn))
      return std::nullopt;
  }
  const auto together = common(nodes);
  if (!together || together->variable.empty() || together->pieces.empty()) return std::nullopt;
  for (const Node* node : nodes) {
    const auto part = region(*node);
    if (part->variable != together->variable) return std::nullopt;
    if (num_inequalities > 1 && equal_regions(*part, *together)) return std::nullopt;
  }
  return together;
}

std::optional<Comparer::Region> Comparer::common(const Nodes& nodes) {
  std::optional<Region> all = region(*nodes[0]);
  for (size_t i = 1; all && i < nodes.size(); ++i) {
    const auto next = region(*nodes[i]);
    all = next ? intersection(*all, *next) : std::nullopt;
  }
  return all;
}

std::optional<Comparer::Region> Comparer::without(const Node& all, const Node& removed) {
  const auto left = region(all);
  const auto right = left ? region(removed) : std::nullopt;
  const auto rest = right ? complement(*right) : std::nullopt;
  return rest ? intersection(*left, *rest) : std::nullopt;
}

// nullopt when ends cannot be ordered.
std::optional<Comparer::Region> Comparer::intersection(const Region& a, const Region& b) {
  if (!a.variable.empty() && !b.variable.empty() && a.variable != b.variable) return std::nullopt;
  Region result{{}, a.variable.empty() ? b.variable : a.variable};
  bool ordered = true;
  // Which of two ends is the narrower: 1 for that of `right`, 0 for both.
  const auto narrower = [&](const Node* left, const Node* right, int direction) {
    if (!left || !right) return !left && !right ? 0 : right ? 1 : -1;
    const auto found = order(*right, *left, budget_);
    ordered &= found.has_value();
    return found.value_or(0) * direction;
  };
  for (const Piece& left : a.pieces)
    for (const Piece& right : b.pieces) {
      const int low = narrower(left.low, right.low, 1);
      const int high = narrower(left.high, right.high, -1);
      const Piece piece{low > 0 ? right.low : left.low, high > 0 ? right.high : left.high,
                        (low > 0 || left.low_closed) && (low < 0 || right.low_closed),
                        (high > 0 || left.high_closed) && (high < 0 || right.high_closed)};
      const bool bounded = piece.low && piece.high;
      const int length = bounded ? narrower(piece.low, piece.high, 1) : 1;
      if (length > 0 || (length == 0 && piece.low_closed && piece.high_closed))
        result.pieces.push_back(piece);
    }
  return ordered ? std::optional(result) : std::nullopt;
}

// What the pieces leave of the reals.
std::optional<Comparer::Region> Comparer::complement(Region region) {
  if (!merge(region)) return std::nullopt;
  Region rest{{}, region.variable};
  Piece gap;  // from the end of the last piece
  bool is_open = true;
  for (const Piece& piece : region.pieces) {
    gap.high = piece.low;
    gap.high_closed = !piece.low_closed;
    if (gap.high) rest.pieces.push_back(gap);
    gap = {piece.high, nullptr, !piece.high_closed, false};
    is_open = piece.high != nullptr;
  }
  if (is_open) rest.pieces.push_back(gap);
  return rest;
}

// In order, with pieces that touch or overlap made one; false when their order is not known. Leaves
// the region as it is when ends cannot be ordered.
bool Comparer::merge(Region& region) {
  std::vector<Piece>& pieces = region.pieces;
  constexpr size_t kMostPieces = 40;
  if (pieces.size() < 2) return true;
  if (pieces.size() > kMostPieces) return false;
  bool ordered = true;
  const auto compare = [&](const Node* a, const Node* b) {
    const auto result = order(*a, *b, budget_);
    ordered &= result.has_value();
    return result.value_or(0);
  };
  for (size_t i = 1; i < pieces.size(); ++i)  // insertion sort: at most 40
    for (size_t j = i; j > 0; --j) {
      const Piece& left = pieces[j - 1];
      const Piece& right = pieces[j];
      const bool swapped = left.low && (!right.low || compare(right.low, left.low) < 0);
      if (!swapped) break;
      std::swap(pieces[j - 1], pieces[j]);
    }
  if (!ordered) return false;
  std::vector<Piece> merged = {pieces[0]};
  for (size_t i = 1; i < pieces.size(); ++i) {
    Piece& last = merged.back();
    const Piece& next = pieces[i];
    const int gap = !last.high || !next.low ? -1 : compare(next.low, last.high);
    if (gap > 0 || (gap == 0 && !last.high_closed && !next.low_closed)) {
      merged.push_back(next);
      continue;
    }
    const int further = !last.high ? -1 : !next.high ? 1 : compare(next.high, last.high);
    if (further > 0) {
      last.high = next.high;
      last.high_closed = next.high_closed;
    } else if (further == 0) {
      last.high_closed |= next.high_closed;
    }
  }
  if (ordered) pieces = std::move(merged);
  return ordered;
}

bool Comparer::equal_pieces(const Piece& gold, const Piece& answer) {
  if (gold.low_closed != answer.low_closed || gold.high_closed != answer.high_closed) return false;
  if (!gold.low != !answer.low || !gold.high != !answer.high) return false;
  return (!gold.low || equal_elements(*gold.low, *answer.low)) &&
         (!gold.high || equal_elements(*gold.high, *answer.high));
}

bool Comparer::equal_regions(Region gold, Region answer) {
  if (!gold.variable.empty() && !answer.variable.empty() && gold.variable != answer.variable)
    return false;
  merge(gold);
  merge(answer);
  if (gold.pieces.size() != answer.pieces.size()) return false;
  std::vector<bool> used(gold.pieces.size(), false);
  for (const Piece& wanted : answer.pieces) {
    size_t i = 0;
    while (i < used.size() && (used[i] || !equal_pieces(gold.pieces[i], wanted))) ++i;
    if (i == used.size()) return false;
    used[i] = true;
  }
  return true;
}

}  // namespace covrl::math
