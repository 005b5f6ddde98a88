// Where expressions with symbols are compared: the same points in every run.
#pragma once

#include <gmpxx.h>

#include <map>
#include <string>

#include "verifiers/expression.h"

namespace covrl::math {

// Values of symbols at one point.
using Point = std::map<std::string, mpq_class>;

// What the sides of a comparison hold.
struct Survey {
  std::map<std::string, int> symbols;  // in the order of their names
  bool has_i = false;
  bool has_steps = false;  // floors and ceilings
  bool has_kinks = false;  // absolute values and roots
  bool are_whole = true;   // symbols stand for whole numbers: all sides have functions of such

  template <class... Nodes>
  void add_side(const Nodes&... nodes) {
    has_whole_functions_ = false;
    (add(nodes), ...);
    are_whole &= has_whole_functions_;
  }
  // Complex values are meant only where i is written, or nothing varies.
  bool is_real() const { return !has_i && !symbols.empty(); }

 private:
  void add(const Node& node);

  bool has_whole_functions_ = false;
};

// Points of one comparison, in this order.
struct PointCounts {
  int near = 0, far = 0, whole = 0;
};
PointCounts point_counts(const Survey& survey);

// Fixed and without pattern but for the signs.
Point point_at(const Survey& survey, const PointCounts& counts, int number);

}  // namespace covrl::math
