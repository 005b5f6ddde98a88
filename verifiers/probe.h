// Values of expressions at points, as intervals that hold them for certain (Arb).
#pragma once

#include <optional>

#include "verifiers/expression.h"
#include "verifiers/work_budget.h"

namespace covrl::math {

enum class Probe {
  kDifferent,  // proved: at some point the intervals have nothing in common
  kEqual,      // the same to 40 digits wherever both have a value
  kUndecided,  // no point where both have a value
};

struct ProbeResult {
  Probe verdict = Probe::kUndecided;
  int num_points = 0;  // where they agreed
};

// At one point without symbols; with symbols at several, the same in every run, of all signs; far
// out too where one side has absolute values or roots, which hide a sign until it changes. Where
// both sides have factorials or floors of fractions, whole numbers alone; where one has floors,
// whole numbers too, 32 of them. Expressions without i are compared only where both are real, part
// by part. Equal is what differs by less than 2^-130, relative where both are below one.
ProbeResult probe(const Node& a, const Node& b, WorkBudget& budget);

// Whether the differences of two equations are the same up to a factor that is not zero:
// (a0 - a1) / (b0 - b1) at several points.
ProbeResult probe_ratio(const Node& a0, const Node& a1, const Node& b0, const Node& b1,
                        WorkBudget& budget);

// |a - b| <= tolerance; nullopt when a value is not known that well.
std::optional<bool> is_within(const Node& a, const mpq_class& b, const mpq_class& tolerance,
                              WorkBudget& budget);

// Of real expressions without symbols: -1, 0, 1 as a < b, equal to 40 digits, a > b.
std::optional<int> order(const Node& a, const Node& b, WorkBudget& budget);

}  // namespace covrl::math
