// Pages of sums: the arithmetic of the word problems without the words, which teaches it with fewer
// tokens.
#pragma once

#include <string>

#include "core/rng.h"

namespace covrl::tiny {

inline constexpr const char* kDrillPrompt = "Practice sums.";

// "3*4=12. 50-12=38. 10% of 60=6. ..." Always right, never boxed.
std::string write_drill(Sequence& sequence);

}  // namespace covrl::tiny
