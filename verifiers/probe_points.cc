#include "verifiers/probe_points.h"

#include <algorithm>
#include <array>
#include <cstdint>

namespace covrl::math {

namespace {

using Kind = NodeKind;

constexpr int kNumPoints = 7, kNumFarPoints = 8, kNumWholePoints = 32;

// A sum or product of symbols and whole numbers: whole where the symbols are.
bool is_whole_form(const Node& node) {
  switch (node.kind) {
    case Kind::kNumber:
      return node.value.get_den() == 1;
    case Kind::kSymbol:
      return true;
    case Kind::kAdd:
    case Kind::kMultiply:
    case Kind::kNegate:
      return std::all_of(node.args.begin(), node.args.end(),
                         [](const Node* arg) { return is_whole_form(*arg); });
    default:
      return false;
  }
}

// Of which a branch may begin anywhere: |x - 10|, sqrt((x - 10)^2).
bool has_kink(const Node& node) {
  switch (node.kind) {
    case Kind::kCall:
      return node.text == "abs" && has_symbols(node);
    case Kind::kRoot:
      return mpz_even_p(node.arg(1).value.get_num_mpz_t()) && has_symbols(node.arg(0));
    case Kind::kPower:
      return (node.arg(1).is(Kind::kDivide) || node.arg(1).value.get_den() != 1) &&
             has_symbols(node.arg(0));
    default:
      return false;
  }
}

// Steps differ at few points, floor(sqrt(n)) and floor(sqrt(n-1)) at squares alone: the first
// symbol takes the whole numbers in order, and some large ones.
long whole_value(int number, bool is_first, long draw) {
  constexpr int kInOrder = 24, kLargest = 2'000;
  if (number >= kInOrder) return kInOrder + draw % kLargest;
  return is_first ? number + 1 : 1 + draw % kInOrder;
}

// Multiples of 1/64 of magnitude 1, or far out, about 8, 40, 300 and 5,000 of both signs. The first
// two symbols take each pair of signs, all are positive at every fourth point.
mpq_class real_value(int number, bool is_far, int index, long draw) {
  constexpr std::array<long, 4> kFar = {8, 40, 300, 5'000};
  constexpr int kSignBit = 20;
  const long signs = index < 2 ? number >> index : draw >> kSignBit;
  const bool is_negative = number % 4 != 0 && signs % 2 != 0;
  const auto at = static_cast<size_t>(number) % (2 * kFar.size()) / 2;
  mpq_class value(is_far ? 64 * kFar[at] + draw % 64 : 20 + draw % 241, 64);
  value.canonicalize();
  return is_negative ? mpq_class(-value) : value;
}

}  // namespace

void Survey::add(const Node& node) {
  if (node.is(Kind::kSymbol)) symbols.emplace(node.text, 0);
  if (node.is(Kind::kConstant, "i")) has_i = true;
  has_kinks |= has_kink(node);
  if (node.is(Kind::kCall, "floor") || node.is(Kind::kCall, "ceil")) {
    has_steps = has_whole_functions_ = true;
    if (is_whole_form(node.arg(0))) are_whole = false;  // it would say nothing: x is no integer
  }
  if (node.is(Kind::kCall, "factorial") || node.is(Kind::kCall, "binom") ||
      node.is(Kind::kCall, "mod"))
    has_whole_functions_ = true;
  if (node.is(Kind::kPower) && node.arg(0).is(Kind::kNegate) &&
      node.arg(0).arg(0).is(Kind::kNumber))
    has_whole_functions_ = true;  // (-1)^n
  for (const Node* arg : node.args) add(*arg);
}

PointCounts point_counts(const Survey& survey) {
  if (survey.symbols.empty()) return {.near = 1};
  if (survey.are_whole) return {.whole = survey.has_steps ? kNumWholePoints : kNumPoints};
  return {kNumPoints, survey.has_kinks ? kNumFarPoints : 0, survey.has_steps ? kNumWholePoints : 0};
}

Point point_at(const Survey& survey, const PointCounts& counts, int number) {
  Point point;
  const int first_whole = counts.near + counts.far;
  uint64_t state = 0x9E3779B97F4A7C15ull * static_cast<uint64_t>(number + 1);
  int index = 0;
  for (const auto& symbol : survey.symbols) {
    state = state * 6364136223846793005ull + 1442695040888963407ull;
    const auto draw = static_cast<long>(state >> 33);
    mpq_class& value = point[symbol.first];
    if (number < first_whole)
      value = real_value(number < counts.near ? number : number - counts.near,
                         number >= counts.near, index, draw);
    else if (survey.has_steps)
      value = whole_value(number - first_whole, index == 0, draw);
    else
      value = 3 + draw % 17;
    ++index;
  }
  return point;
}

}  // namespace covrl::math
