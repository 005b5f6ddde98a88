// The ten families of word problems. Every one needs two or three steps with small whole numbers.
#pragma once

#include <vector>

#include "core/rng.h"
#include "data/tiny/problem.h"

namespace covrl::tiny {

// Cross-domain families are in the pretraining corpus but neither in the training nor in the test
// problems.
enum class Domain { kMain, kCross };

struct Family {
  const char* name;
  Domain domain;
  double boxed_share;  // of careful solutions in the corpus that box their answer
  Problem (*make)(Sequence& sequence);
};

const std::vector<Family>& families();

}  // namespace covrl::tiny
