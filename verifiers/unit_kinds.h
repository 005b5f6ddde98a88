// Which units contradict each other.
#pragma once

#include <string_view>

namespace covrl::math {

// As UnitReader writes them. False for two measures that differ (cm and km); a word that is no
// measure ("students") contradicts nothing.
bool units_agree(std::string_view a, std::string_view b);

}  // namespace covrl::math
