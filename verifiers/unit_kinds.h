// Which units contradict each other.
#pragma once

#include <string_view>

namespace covrl::math {

// As UnitReader writes them. False for two measures that differ (cm and km); a word that is no
// measure ("students") contradicts nothing, and degrees may be those of the gold's temperature.
bool units_agree(std::string_view gold, std::string_view answer);

}  // namespace covrl::math
