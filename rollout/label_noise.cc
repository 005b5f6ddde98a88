#include "rollout/label_noise.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <regex>

#include "core/error.h"

namespace covrl {
namespace {

constexpr int64_t kFurthest = 10;
constexpr size_t kMaxDigits = 15;

// n +- k, k from 1 to 10.
int64_t moved(int64_t n, Sequence& draws, int64_t unit = 1) {
  const int64_t step = unit * draws.between(1, kFurthest);
  return draws.below(2) == 0 ? n + step : n - step;
}

int64_t with_random_sign(int64_t n, Sequence& draws) { return draws.below(2) == 0 ? n : -n; }

int64_t power_of_ten(size_t exponent) {
  int64_t power = 1;
  for (size_t i = 0; i < exponent; ++i) power *= 10;
  return power;
}

// A number written with `num_decimals` digits behind the point, as a multiple of the last one.
std::string decimal_text(int64_t scaled, size_t num_decimals) {
  std::string digits = std::to_string(std::abs(scaled));
  if (digits.size() <= num_decimals) digits.insert(0, num_decimals + 1 - digits.size(), '0');
  if (num_decimals > 0) digits.insert(digits.size() - num_decimals, ".");
  return (scaled < 0 ? "-" : "") + digits;
}

std::string wrong_number(const std::smatch& match, Sequence& draws) {
  const std::string whole = match[2], decimals = match[4];
  const int64_t size = std::stoll("0" + whole + decimals);
  const int64_t number = match[1].length() > 0 ? -size : size;
  int64_t other = number;
  while (other == number)
    other = with_random_sign(moved(number, draws, power_of_ten(decimals.size())), draws);
  return decimal_text(other, decimals.size());
}

struct Fraction {
  int64_t numerator, denominator;
};

Fraction wrong_fraction(const Fraction& fraction, Sequence& draws) {
  while (true) {
    Fraction other{moved(fraction.numerator, draws), moved(fraction.denominator, draws)};
    other.numerator = with_random_sign(other.numerator, draws);
    if (other.denominator < 0) other = {-other.numerator, -other.denominator};
    if (other.numerator != 0 && other.denominator != 0 &&
        other.numerator * fraction.denominator != fraction.numerator * other.denominator)
      return other;
  }
}

// `match`: sign, opening (\frac or nothing), numerator, denominator.
std::string wrong_fraction_text(const std::smatch& match, Sequence& draws) {
  const int64_t sign = match[1].length() > 0 ? -1 : 1;
  const Fraction other = wrong_fraction({sign * std::stoll(match[3]), std::stoll(match[4])}, draws);
  const std::string numerator = std::to_string(std::abs(other.numerator)),
                    denominator = std::to_string(other.denominator);
  const std::string text = match[2].length() > 0
                               ? match[2].str() + "{" + numerator + "}{" + denominator + "}"
                               : numerator + "/" + denominator;
  return (other.numerator < 0 ? "-" : "") + text;
}

// Where the first number begins that is no subscript, as the 1 of S_1 = 5; npos: there is none.
size_t first_number(const std::string& label) {
  const char* digits = "0123456789";
  for (size_t at = label.find_first_of(digits); at != std::string::npos;) {
    const size_t before = at > 0 && label[at - 1] == '{' ? at - 1 : at;
    if (before == 0 || label[before - 1] != '_') return at;
    const size_t end = label.find_first_not_of(digits, at);
    at = end == std::string::npos ? end : label.find_first_of(digits, end);
  }
  return std::string::npos;
}

// The digits that begin at `begin`, or the last 15 of them, moved and still positive.
std::string with_number_moved(std::string label, size_t begin, Sequence& draws) {
  size_t end = label.find_first_not_of("0123456789", begin);
  if (end == std::string::npos) end = label.size();
  const bool is_cut = end - begin > kMaxDigits;
  if (is_cut) begin = end - kMaxDigits;
  const int64_t number = std::stoll(label.substr(begin, end - begin));
  int64_t other = 0;
  while (other < 1 || (is_cut && other >= power_of_ten(kMaxDigits))) other = moved(number, draws);
  std::string digits = std::to_string(other);
  if (is_cut) digits.insert(0, kMaxDigits - digits.size(), '0');
  return label.replace(begin, end - begin, digits);
}

// What is inside surrounding spaces and dollar signs.
std::string bare(const std::string& label) {
  const size_t begin = label.find_first_not_of(" $"), end = label.find_last_not_of(" $");
  return begin == std::string::npos ? "" : label.substr(begin, end - begin + 1);
}

}  // namespace

std::optional<std::string> wrong_label(const std::string& label, Sequence& draws) {
  static const std::regex number(R"((-?)\s*(\d{0,8})(\.(\d{1,7}))?)");
  static const std::regex fraction(
      R"((-?)\s*(\\[dt]?frac)\s*\{\s*(-?\d{1,8})\s*\}\s*\{\s*(-?\d{1,8})\s*\})");
  static const std::regex quotient(R"((-?)()(\d{1,8})\s*/\s*(\d{1,8}))");
  const size_t digit = first_number(label);
  if (digit == std::string::npos) return std::nullopt;
  const std::string text = bare(label);
  std::smatch match;
  if (std::regex_match(text, match, number)) return wrong_number(match, draws);
  if (std::regex_match(text, match, fraction) || std::regex_match(text, match, quotient))
    if (std::stoll(match[4]) != 0) return wrong_fraction_text(match, draws);
  return with_number_moved(label, digit, draws);
}

LabelNoiseCounts add_label_noise(std::vector<Prompt>& rows, double share, uint64_t seed) {
  std::map<std::string, size_t> numbers;          // of each problem, in order of appearance
  std::vector<std::optional<std::string>> wrong;  // its other label
  for (const Prompt& prompt : rows) {
    if (!numbers.try_emplace(prompt.id, wrong.size()).second) continue;
    Sequence draws(seed, Stream::kLabelNoise, /*step=*/1, /*prompt=*/wrong.size());
    wrong.push_back(wrong_label(prompt.gold, draws));
  }
  std::vector<size_t> candidates;
  for (size_t i = 0; i < wrong.size(); ++i)
    if (wrong[i]) candidates.push_back(i);
  LabelNoiseCounts counts;
  counts.num_problems = static_cast<int64_t>(wrong.size());
  counts.num_wrong = std::llround(share * static_cast<double>(wrong.size()));
  counts.num_without_number = static_cast<int64_t>(wrong.size() - candidates.size());
  if (counts.num_wrong > static_cast<int64_t>(candidates.size()))
    throw_usage("data.label_noise: ", share, " of ", wrong.size(), " problems are ",
                counts.num_wrong, " labels, but ", counts.num_without_number,
                " hold no number that could be changed; lower it");
  Sequence draws(seed, Stream::kLabelNoise);
  const std::vector<int64_t> order = permutation(static_cast<int64_t>(candidates.size()), draws);
  std::vector<bool> chosen(wrong.size());
  for (int64_t i = 0; i < counts.num_wrong; ++i)
    chosen[candidates[static_cast<size_t>(order[static_cast<size_t>(i)])]] = true;
  for (Prompt& prompt : rows)
    if (const size_t i = numbers.at(prompt.id); chosen[i]) prompt.gold = *wrong[i];
  return counts;
}

}  // namespace covrl
