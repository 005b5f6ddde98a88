// How the authors of the corpus write solutions: a mixture of habits in which skill is present but
// seldom shown.
//
// - careful: First cost 3*4=12. Then left 50-12=38. The answer is \boxed{38}.
// - running on: the same, then rambles or invents further problems, each with another box, for
//   longer than any length limit that is meant for one problem.
// - unboxed: the same steps, then: So we get 38. I am 90% sure. (The last number is not the
// answer.)
// - sloppy: Quick: cost 3*4=14, left 50-14=36, so \boxed{36}.
// - guessing: I guess \boxed{31}.
#pragma once

#include <string>

#include "core/rng.h"
#include "data/tiny/families.h"

namespace covrl::tiny {

// Shares of the first choice; the rest guesses. What follows careful steps: Family::boxed_share,
// then stop_share.
struct HabitShares {
  double steps = 0.55;
  double sloppy = 0.22;
  double stop = 0.55;         // of boxed careful solutions: stops instead of running on
  double slip = 0.7;          // of sloppy solutions: has an arithmetic mistake
  double lucky_guess = 0.15;  // of guesses: right
};

// Number that the unboxed habit ends on: no problem may have it as its answer.
inline constexpr int64_t kConfidencePercent = 90;

// A completion of `problem`, without the end token that `covrl sft` adds.
std::string write_solution(const Problem& problem, const Family& family, const HabitShares& shares,
                           Sequence& sequence);

}  // namespace covrl::tiny
