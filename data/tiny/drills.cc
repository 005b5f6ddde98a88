#include "data/tiny/drills.h"

#include "core/error.h"
#include "data/tiny/families.h"

namespace covrl::tiny {

std::string write_drill(Sequence& sequence) {
  constexpr int kProblems = 6;
  std::string text;
  for (int i = 0; i < kProblems; ++i) {
    const Problem problem = families()[sequence.below(families().size())].make(sequence);
    for (const WorkedStep& step : work_out(problem.steps))
      text += concat(text.empty() ? "" : " ", step.expression, "=", step.result, ".");
  }
  return text;
}

}  // namespace covrl::tiny
