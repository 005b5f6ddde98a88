#include "verifiers/unit_kinds.h"

#include "verifiers/word_list.h"

namespace covrl::math {

namespace {

bool is_measure(std::string_view unit) {
  static const Words measures = words_of(R"(
      mm cm m km inch ft yd mi mg g kg lb s min h day week month year dollar cent am pm l ml mph
      cm^2 m^2 km^2 inch^2 ft^2 mi^2 cm^3 m^3 inch^3 ft^3 degree rad degreeC degreeF)");
  return measures.contains(unit);
}

}  // namespace

bool units_agree(std::string_view gold, std::string_view answer) {
  const bool is_temperature = gold == "degreeC" || gold == "degreeF";
  if (is_temperature && answer == "degree") return true;
  return gold == answer || !is_measure(gold) || !is_measure(answer);
}

}  // namespace covrl::math
