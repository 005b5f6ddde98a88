// Who judged a response, as a row of an evaluation names it: the verifiers and what they were given
// beside their defaults, as the words of a command have it, in an order of its own. Equal judges
// have equal texts:
//
//   math        numeric verifier.numeric.rel_tol=0.01        math+format reward.weights=[1.0,0.1]
//
// A verifier outside our code is named by its path or command, not by what is found there.
#pragma once

#include <string>
#include <vector>

#include "verifiers/options.h"

namespace covrl {

// `weights`: one for each name; none: 1 each. Keys of verifiers that are not named do not matter.
std::string judge_text(const std::vector<std::string>& names, const std::vector<double>& weights,
                       const VerifierOptions& options);

// Whether a judge is, at least in part, outside our code, and may ask for anything in extra_info.
bool is_external(const std::string& judge);

}  // namespace covrl
