// Several verifiers make one reward: the weighted sum of their scores.
//
// The first verifier is the main one: its outcome and its extracted answer are those of the sum, so
// that accuracies are about it. Where a verifier of weight other than 0 failed, the sum is unknown:
// the outcome is failed; so it is where the sum is not finite. One of weight 0 is only watched; its
// failure changes nothing.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "verifiers/verifier.h"

namespace covrl {

// One weight for each name; none: 1 for each. A single verifier of weight 1 stands for itself.
std::unique_ptr<Verifier> make_verifiers(const std::vector<std::string>& names,
                                         const std::vector<double>& weights,
                                         const VerifierOptions& options);

}  // namespace covrl
