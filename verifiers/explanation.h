// What a verifier saw on its way to a verdict; `covrl verify --explain` prints it.
#pragma once

#include <cstdint>
#include <string>

namespace covrl {

// A part that was not reached is empty.
struct Explanation {
  std::string source;     // where the answer was found: "box", "phrase", "formula", "number"
  std::string extracted;  // as the response has it
  std::string gold;       // as parsed, fully bracketed: (1/2)*sqrt(3)
  std::string answer;     // the same of what was extracted
  std::string compared;   // how: "exactly", "at 4 points", "as text", ...
  int64_t steps = 0;      // work that parsing and comparing took; at most WorkBudget::kSteps
  std::string reason;     // why the verdict: "equal", "no box is complete", ...
};

}  // namespace covrl
