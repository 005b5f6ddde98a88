// What counts as the same answer, where mathematics alone does not say. The defaults are the label
// policy of the benchmark cases (docs/verifier.md).
#pragma once

#include <cstdint>

#include "core/config.h"

namespace covrl {

struct MathPolicy {
  // Extraction.
  bool phrases = true;  // without a box: after "answer is", "Answer:", "####"
  bool loose = true;    // without either: the last formula, else the last number

  // A decimal of at least this many significant digits stands for the exact value it rounds or
  // cuts: 0.428571428571 for 3/7. 0 turns it off.
  int64_t exact_from_digits = 10;
  // A decimal answer counts when it rounds to the gold's decimals: gold 12.8, answer 12.75.
  bool rounding = false;
  // 5 for 5 cm, and 5 cm for 5. Two different units never agree.
  bool missing_units = true;
  // 28% for 28, and 28% for 0.28.
  bool percent_as_number = true;
  // `y = e` for `e`, and the other way round, when y is a name.
  bool value_for_equation = true;

  bool operator==(const MathPolicy&) const = default;
  void describe(config::Visitor& v);
};

}  // namespace covrl
