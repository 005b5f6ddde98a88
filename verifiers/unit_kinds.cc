#include "verifiers/unit_kinds.h"

#include <algorithm>

#include "verifiers/text.h"
#include "verifiers/word_list.h"

namespace covrl::math {

namespace {

bool is_name(std::string_view name) {
  static const Words names = words_of(R"(
      mm cm m km inch ft yd mi mg g kg lb s min h day week month year dollar cent am pm l ml
      degree rad degreeC degreeF)");
  return names.contains(name);
}

// cm, cm^2, m/s^2; m*s^-2 may be m/s^2.
bool is_measure(std::string_view unit) {
  for (size_t at = 0;; ++at) {
    const size_t end = std::min(unit.find('/', at), unit.size());
    const std::string_view part = unit.substr(at, end - at);
    const std::string_view name = part.substr(0, part.find('^'));
    const std::string_view power = part.substr(std::min(name.size() + 1, part.size()));
    if (!is_name(name) || !std::all_of(power.begin(), power.end(), is_digit)) return false;
    if (end == unit.size()) return true;
    at = end;
  }
}

}  // namespace

bool units_agree(std::string_view gold, std::string_view answer) {
  const bool is_temperature = gold == "degreeC" || gold == "degreeF";
  if (is_temperature && answer == "degree") return true;
  return gold == answer || !is_measure(gold) || !is_measure(answer);
}

}  // namespace covrl::math
