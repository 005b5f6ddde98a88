// Sets of reals: intervals, unions, inequalities in one variable, single points.
#include <algorithm>

#include "verifiers/compare.h"
#include "verifiers/probe.h"

namespace covrl::math {

namespace {

using Kind = NodeKind;

bool is_variable(const Node& node) { return node.is(Kind::kSymbol); }

}  // namespace

bool is_sure_interval(const Node& node) {
  return node.is(Kind::kTuple) && node.args.size() == 2 &&
         (node.open == '[' || node.close == ']' || infinity_sign(node.arg(0)) != 0 ||
          infinity_sign(node.arg(1)) != 0);
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
      if (node.text != "or") return between(node.args);
      for (const Node* part : node.args)
        if (!is_inequality(*part) && !is_equation(*part) && !is_sure_interval(*part))
          return std::nullopt;
      return joined(node.args);
    case Kind::kConstant:
      if (node.text == "reals") return Region{{Piece{}}, {}};
      return node.text == "emptyset" ? std::optional(Region{}) : std::nullopt;
    case Kind::kRelation:
      return region_of_relation(node);
    case Kind::kDifference: {  // of the reals
      if (!node.arg(0).is(Kind::kConstant, "reals")) return std::nullopt;
      auto removed = region(node.arg(1));
      return removed ? complement(std::move(*removed)) : std::nullopt;
    }
    default:
      return std::nullopt;
  }
}

// x > 3, 3 < x <= 4, x \ne 3, x \in S, x = 3
std::optional<Comparer::Region> Comparer::region_of_relation(const Node& node) {
  const size_t n = node.args.size();
  if (n > 3) return std::nullopt;
  if (n == 2 && node.relations[0] == Relation::kIn && is_variable(node.arg(0))) {
    auto inside = region(node.arg(1));
    if (inside) inside->variable = node.arg(0).text;
    return inside;
  }
  size_t at = 0;  // of the variable
  while (at < n && !is_variable(node.arg(at))) ++at;
  if (at == n || (n == 3 && at != 1)) return std::nullopt;
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
    const bool less = relation == Relation::kLess || relation == Relation::kLessEqual;
    const bool closed = relation == Relation::kLessEqual || relation == Relation::kGreaterEqual;
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

// x >= 2 and x < 5: what lies between a lower and an upper bound of one variable.
std::optional<Comparer::Region> Comparer::between(const Nodes& nodes) {
  if (nodes.size() != 2 || !is_inequality(*nodes[0]) || !is_inequality(*nodes[1]))
    return std::nullopt;
  auto above = region(*nodes[0]), below = region(*nodes[1]);
  if (!above || !below || above->variable != below->variable || above->pieces.size() != 1 ||
      below->pieces.size() != 1)
    return std::nullopt;
  if (!above->pieces[0].low) std::swap(above, below);
  Piece& low = above->pieces[0];
  const Piece& high = below->pieces[0];
  if (!low.low || low.high || high.low || !high.high) return std::nullopt;
  if (order(*low.low, *high.high, budget_) != -1) return std::nullopt;
  low.high = high.high;
  low.high_closed = high.high_closed;
  return above;
}

// What the pieces leave of the reals.
std::optional<Comparer::Region> Comparer::complement(Region region) {
  if (!merge(region)) return std::nullopt;
  Region rest;
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
