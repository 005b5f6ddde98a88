// Discounted returns of every token.
#pragma once

#include <vector>

#include "rl/advantage/advantage.h"

namespace covrl {

// return_t = r_t + gamma return_{t+1} over the tokens of a sequence that count; what lies between
// them (an observation) is stepped over without a discount. [T], 0 outside the mask.
std::vector<double> token_returns(const AdvantageInput& input, double gamma);

}  // namespace covrl
