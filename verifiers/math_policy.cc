#include "verifiers/math_policy.h"

namespace covrl {

void MathPolicy::describe(config::Visitor& v) {
  v.field("phrases", phrases,
          "math: where there is no box, take what follows `answer is`, `Answer:` or ####.");
  v.field("loose", loose, "math: where there is neither, take the last formula, else number.");
  v.field("exact_from_digits", exact_from_digits,
          "Significant digits from which a decimal stands for the exact value that it rounds or "
          "cuts; 0: never.",
          {0, 1000});
  v.field("rounding", rounding,
          "A decimal answer counts when it rounds to the gold's decimals: 12.75 for 12.8.");
  v.field("missing_units", missing_units, "A unit may be missing on one side: 5 for 5 cm.");
  v.field("percent_as_number", percent_as_number, "28% counts for 28 and for 0.28.");
  v.field("value_for_equation", value_for_equation, "`y = e` counts for `e`, and e for `y = e`.");
}

}  // namespace covrl
