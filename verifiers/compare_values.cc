// Values: exactly, by a long decimal, at points.
#include <algorithm>

#include "core/error.h"
#include "verifiers/compare.h"
#include "verifiers/numerals.h"
#include "verifiers/probe.h"

namespace covrl::math {

namespace {

using Kind = NodeKind;

// p of p%, -p of -p%; nullptr for what is no percentage.
const Node* percentage(const Node& node, Arena& arena) {
  if (node.is(Kind::kPercent)) return node.args[0];
  if (!node.is(Kind::kNegate) || !node.arg(0).is(Kind::kPercent)) return nullptr;
  return arena.make(Kind::kNegate, {node.arg(0).args[0]});
}

// The literal of a decimal, its sign apart; nullptr for what is none.
const Node* decimal(const Node& node) {
  const Node& inside = node.is(Kind::kNegate) ? node.arg(0) : node;
  return inside.is(Kind::kNumber) && inside.digits > 0 ? &inside : nullptr;
}

bool is_value(const Node& node) {
  switch (node.kind) {
    case Kind::kText:
    case Kind::kOpaque:
    case Kind::kTuple:
    case Kind::kList:
    case Kind::kSet:
    case Kind::kUnion:
    case Kind::kIntersection:
    case Kind::kDifference:
    case Kind::kMatrix:
    case Kind::kRelation:
    case Kind::kRatio:
    case Kind::kTime:
    case Kind::kBased:
      return false;
    default:
      return true;
  }
}

}  // namespace

int infinity_sign(const Node& node) {
  if (node.is(Kind::kConstant, "infty")) return 1;
  return node.is(Kind::kNegate) ? -infinity_sign(node.arg(0)) : 0;
}

bool Comparer::equal_values(const Node& gold, const Node& answer) {
  if (!is_value(gold) || !is_value(answer)) return false;
  if (const int sign = infinity_sign(gold)) return sign == infinity_sign(answer);
  if (infinity_sign(answer) != 0) return false;
  if (gold.is(Kind::kConstant) && answer.is(Kind::kConstant)) return gold.text == answer.text;
  const Node* gold_percent = percentage(gold, arena_);
  const Node* answer_percent = percentage(answer, arena_);
  if (gold_percent && answer_percent) return equal_numbers(*gold_percent, *answer_percent);
  if (policy_.percent_as_number && gold_percent && equal_numbers(*gold_percent, answer))
    return true;
  if (policy_.percent_as_number && answer_percent && equal_numbers(gold, *answer_percent))
    return true;
  return equal_numbers(gold, answer);
}

bool Comparer::equal_numbers(const Node& gold, const Node& answer) {
  const bool one_has_symbols = has_symbols(gold) != has_symbols(answer);
  if (one_has_symbols && !gold.is(Kind::kAdd) && !answer.is(Kind::kAdd)) return false;  // 0 and 0x
  bool decided = false;
  try {
    if (equal_exactly(gold, answer, decided)) return true;
  } catch (const Undefined&) {
    how_ = "no value: division by zero";
    undecided_ = true;
    return false;
  }
  if (one_has_symbols) return false;
  if (stands_for(gold, answer) || stands_for(answer, gold)) return true;
  if (policy_.rounding && rounds_to(gold, answer)) return true;
  if (decided) return false;
  const ProbeResult result = probe(gold, answer, budget_);
  how_ = concat("at ", result.num_points, result.num_points == 1 ? " point" : " points");
  if (result.verdict == Probe::kUndecided) {
    how_ = "nowhere: no common value";
    undecided_ = true;
  }
  return result.verdict == Probe::kEqual;
}

// `decided`: whether the answer of this function is certain.
bool Comparer::equal_exactly(const Node& gold, const Node& answer, bool& decided) {
  const auto& left = exact_.value(gold);
  const auto& right = exact_.value(answer);
  if (!left || !right) return false;
  const auto difference = exact_.algebra().add(*left, exact_.algebra().negate(*right));
  if (!difference) return false;
  const std::optional<bool> zero = exact_.algebra().is_zero(*difference);
  decided = zero.has_value();
  how_ = decided ? "exactly" : how_;
  return zero.value_or(false);
}

bool Comparer::within(const Node& node, const mpq_class& value, const mpq_class& tolerance,
                      Bound bound) {
  try {
    const auto& exact = exact_.value(node);
    const auto constant = exact ? exact->constant() : std::nullopt;
    if (constant) {
      const mpq_class apart = abs(*constant - value);
      return apart < tolerance || (bound == Bound::kClosed && apart == tolerance);
    }
  } catch (const Undefined&) {
    return false;
  }
  return is_within(node, value, tolerance, budget_) == true;
}

// A decimal of enough digits is what rounding or cutting `exact` gives.
bool Comparer::stands_for(const Node& literal, const Node& exact) {
  const Node* digits = decimal(literal);
  if (!digits || decimal(exact) || policy_.exact_from_digits == 0 ||
      digits->digits < policy_.exact_from_digits || has_symbols(exact))
    return false;
  const mpq_class value = literal.is(Kind::kNegate) ? mpq_class(-digits->value) : digits->value;
  if (!within(exact, value, ten_to(-digits->decimals), Bound::kOpen)) return false;
  how_ = concat("to the ", digits->digits, " digits of a decimal");
  return true;
}

// 12.75 rounds to 12.8.
bool Comparer::rounds_to(const Node& gold, const Node& answer) {
  const Node* digits = decimal(gold);
  if (!digits || has_symbols(answer)) return false;
  const mpq_class value = gold.is(Kind::kNegate) ? mpq_class(-digits->value) : digits->value;
  const mpq_class half = ten_to(-digits->decimals) / 2;
  if (!within(answer, value, half, Bound::kClosed)) return false;
  how_ = "after rounding";
  return true;
}

}  // namespace covrl::math
