// What must hold for every pair of texts, whatever they are: no crash, no endless work, a verdict
// that does not contradict itself.
#pragma once

#include <string>
#include <string_view>

namespace covrl::testing {

// Checks that cost another comparison: all of them, or each for one input in eight, picked by the
// input's hash, so that a fuzzer meets eight times as many inputs.
enum class Checks { kAll, kSampled };

// Input: a gold answer, a line end, a response. Empty when all holds, else what does not.
std::string broken_promise(std::string_view input, Checks checks = Checks::kAll);

}  // namespace covrl::testing
