#include "verifiers/words.h"

#include <algorithm>
#include <iterator>
#include <unordered_map>

#include "verifiers/word_list.h"

namespace covrl::math {

bool is_unit_word(std::string_view word) {
  static const Words words = words_of(R"(
      angstroms centimeter centimeters centimetre centimetres cm erg foot feet ft hz inch inches
      kilometer kilometers kilometre kilometres km kmh kpc meter meters metre metres mi mile miles
      millimeter millimeters millimetres mm mph nm yard yards
      gram grams kg kilogram kilograms lb lbs ounce ounces pound pounds ton tons tonnes
      gallon gallons liter liters litre litres milliliters ml pint pints quart quarts
      day days hour hours hr hrs minute minutes mins month months sec second seconds week weeks
      year years
      cent cents dollar dollars eur euro euros gbp inr rupees usd yen yuan
      ampere amperes calories coulombs degree degrees farads hertz joule joules kelvin knots newton
      newtons ohm ohms pascals rad radian radians revolutions volt volts watt watts
      cubic per sq square unit units
      apples bags balls bananas beads birds books bottles boxes boys bricks bushels cakes candies
      cards cars cats chairs chickens children choices coins combinations committees cookies cows
      crayons cubes cups customers dogs eggs elements faces flowers fish flights girls gumballs
      handshakes horses houses integers items kids laps letters marbles matches men numbers oranges
      outfits pages pairs paths pencils pennies pens people permutations persons photos pieces
      players points possibilities problems questions rabbits regions rooms rows seats sheep sheets
      shirts shots sides slices socks solutions stamps steps stickers stones students subsets tables
      teachers teams tickets tiles toys trees triangles trips values vertices votes ways women words
      workers)");
  return words.contains(word);
}

bool is_currency(std::string_view word) {
  return word == "USD" || word == "EUR" || word == "GBP" || word == "INR" || word == "Rs";
}

bool is_unit_symbol(std::string_view word) {
  static const Words symbols = words_of(
      "m g s A K N J W V C F H T L l Hz Pa eV h mol Wb bar cal Bq Gy Sv min Wh dB oz yd in ha rad "
      "Omega");
  if (symbols.contains(word)) return true;
  constexpr std::string_view kPrefixes = "kMGTmunpcd";
  return word.size() > 1 && kPrefixes.find(word[0]) != std::string_view::npos &&
         symbols.contains(word.substr(1));
}

std::string_view usual_unit(std::string_view word) {
  static const Names names = names_of(R"(
      centimeters cm centimeter cm centimetres cm centimetre cm meters m meter m metres m metre m
      kilometers km kilometer km kilometres km kilometre km millimeters mm millimeter mm
      inches inch in inch feet ft foot ft miles mi mile mi yards yd yard yd
      kilograms kg kilogram kg grams g gram g pounds lb pound lb lbs lb
      seconds s second s sec s minutes min minute min mins min hours h hour h hr h hrs h
      days day weeks week months month years year
      degrees degree celsius C fahrenheit F radians rad dollars dollar cents cent units unit
      liters l liter l litres l litre l gallons gallon mph mi/h kmh km/h)");
  const auto found = names.find(word);
  return found == names.end() ? word : found->second;
}

bool is_answer_word(std::string_view word) {
  static const Words words = words_of(R"(
      always both composite convex concave even false infinite neither never no none odd prime true
      yes)");
  return words.contains(word);
}

bool is_all_reals(std::string_view words) {
  static const Words known = words_of(R"(
      allrealnumbers allreals allrealvalues allreal everyrealnumber thesetofallrealnumbers)");
  return known.contains(words);
}

bool is_no_solution(std::string_view words) {
  static const Words known = words_of(R"(
      nosolution nosolutions norealsolution norealsolutions norealroots emptyset theemptyset
      therearenosolutions thereisnosolution)");
  return known.contains(words);
}

bool is_month(std::string_view word) {
  static const Words words = words_of(R"(
      January February March April May June July August September October November December)");
  return words.contains(word);
}

bool is_filler(std::string_view word) {
  static const Words words = words_of(R"(
      a an altogether complex consecutive different distinct each identical in nonnegative of ordered
      positive possible real total unique whole)");
  return words.contains(word);
}

int power_of_ten(std::string_view word) {
  static const std::unordered_map<std::string_view, int> powers = {
      {"hundred", 2}, {"thousand", 3}, {"million", 6}, {"billion", 9}, {"trillion", 12}};
  const auto found = powers.find(word);
  return found == powers.end() ? 0 : found->second;
}

int named_base(std::string_view word) {
  constexpr std::string_view kNames[] = {"two",    "three",    "four",     "five",    "six",
                                         "seven",  "eight",    "nine",     "ten",     "eleven",
                                         "twelve", "thirteen", "fourteen", "fifteen", "sixteen"};
  const auto found = std::find(std::begin(kNames), std::end(kNames), word);
  return found == std::end(kNames) ? 0 : static_cast<int>(found - std::begin(kNames)) + 2;
}

bool is_number_word(std::string_view word) {
  static const Words words = words_of(R"(
      zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen
      sixteen seventeen eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety
      hundred thousand million billion trillion quadrillion mil mln bn lakh crore gross score
      hundreds thousands millions billions trillions quadrillions dozen dozens
      half halves third thirds quarter quarters fourth fourths fifth fifths sixth sixths seventh
      sevenths eighth eighths ninth ninths tenth tenths eleventh twelfths hundredth hundredths
      thousandth thousandths millionths billionths
      first twentieth st nd rd th single double triple twice thrice tens fourty
      doubled tripled trebled quadrupled quintupled halved inverse inverted reciprocal reciprocals
      percent percentage permil permille squares root factorial factorials choose repeating recurring
      remainder)");
  return words.contains(word);
}

bool changes_meaning(std::string_view word) {
  static const Words words = words_of(R"(
      and but either else et except excluding for from if ignore instead only or otherwise ou oder
      then und unless versus vs when whenever where whether with without
      cannot dont dne false inaccurate incorrect invalid isn neither never nicht nil no none nope nor
      not opposite undefined untrue wrong disproved disproven discarded eliminated excluded
      extraneous impossible inadmissible rejected unattainable
      about almost apparently approx approximate approximately around circa close could estimate
      estimated guess guessed hopefully ish kind likely maybe might nearly perhaps possibly
      presumably probably rough roughly should sort suppose supposedly think uncertain unclear
      unknown unlikely unsure
      above any all at atleast atmost below between beyond bigger downward downwards exceed exceeds
      exceeding fewer greater higher larger least less lower maximum minimum more most onward onwards
      over smaller than through thru till to under until up upto upward upwards
      added base cubed decreased divided increased minus mod modulo multiplied negative plus power
      squared subtracted times
      am pm answer answers correct grader is the true was yes)");
  return words.contains(word) || is_number_word(word);
}

bool takes_back(std::string_view word) {
  static const Words words = words_of(R"(
      not isn wasn cannot never wrong incorrect maybe perhaps possibly unlikely excluded rejected)");
  return words.contains(word);
}

bool denies(std::string_view word) {
  static const Words words = words_of(R"(
      not isn wasn aren won cannot never neither nor no except wrong false unless unlikely incorrect
      disproved excluded extraneous impossible inaccurate rejected untrue
      less more greater fewer smaller larger least most under above below over between either maybe
      perhaps exceed exceeds anything than possibly without instead excluding)");
  return words.contains(word);
}

}  // namespace covrl::math
