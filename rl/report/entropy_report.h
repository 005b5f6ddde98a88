// The findings of `covrl entropy` as text and as one offline page.
#pragma once

#include <string>
#include <vector>

#include "rl/report/entropy_findings.h"

namespace covrl {

// For a terminal, a line a fact.
std::string entropy_text(const EntropyFindings& run);

// R against H with the fitted curve, entropy over time, predicted against measured change,
// covariances and selected tokens, of one run or several.
std::string entropy_page(const std::vector<EntropyFindings>& runs);

}  // namespace covrl
