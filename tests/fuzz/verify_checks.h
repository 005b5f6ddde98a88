// What must hold for every pair of texts, whatever they are: no crash, no endless work, a verdict
// that does not contradict itself.
#pragma once

#include <string>
#include <string_view>

namespace covrl::testing {

// Input: a gold answer, a line end, a response. Empty when all holds, else what does not.
std::string broken_promise(std::string_view input);

}  // namespace covrl::testing
