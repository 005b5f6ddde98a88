// What may stand after a number and leave it that number: nothing, or a unit in plain writing.
#pragma once

#include <string_view>

namespace covrl {

enum class NumberTail {
  kUnit,     // nothing, or a unit: "m/s", "\text{ square feet}", "^\circ C", "miles per hour"
  kPercent,  // "%", "\%", "percent"
  kOther,    // anything that may change the number: "\pi", "!", "e", "thousand", "or six"
};

NumberTail number_tail(std::string_view text);

}  // namespace covrl
