#include "verifiers/probe.h"

#include <flint/flint.h>
#include <flint/fmpq.h>
#include <flint/fmpz.h>

#include <algorithm>
#include <map>
#include <string>

#include "verifiers/arb_value.h"

namespace covrl::math {

namespace {

using Kind = NodeKind;

constexpr long kPrecision = 192;
constexpr int64_t kOperation = 60, kFunction = 600;

// Values of symbols at one point.
using Point = std::map<std::string, mpq_class>;

struct NoValue {};

class Evaluator {
 public:
  Evaluator(const Point& point, WorkBudget& budget) : point_(point), budget_(budget) {
    free_caches_at_thread_exit();
  }

  // Throws NoValue where the expression has none that is finite.
  ArbValue value(const Node& node) {
    budget_.spend(kOperation);
    ArbValue result = compute(node);
    if (!acb_is_finite(result.get())) throw NoValue{};
    constexpr long kLargestPower = 1 << 20;
    if (acb_rel_accuracy_bits(result.get()) > 0 && result.magnitude() > kLargestPower)
      throw OverBudget{"too large a value"};
    return result;
  }

 private:
  ArbValue compute(const Node& node) {
    switch (node.kind) {
      case Kind::kNumber:
        budget_.spend(kOperation);
        return ArbValue::rational(node.value, kPrecision);
      case Kind::kSymbol:
        return symbol(node.text);
      case Kind::kConstant:
        return constant(node.text);
      case Kind::kAdd:
      case Kind::kMultiply:
        return fold(node);
      case Kind::kNegate: {
        ArbValue inside = value(node.arg(0));
        acb_neg(inside.get(), inside.get());
        return inside;
      }
      case Kind::kDivide: {
        ArbValue above = value(node.arg(0));
        const ArbValue below = value(node.arg(1));
        acb_div(above.get(), above.get(), below.get(), kPrecision);
        return above;
      }
      case Kind::kPercent: {
        ArbValue inside = value(node.arg(0));
        acb_div_ui(inside.get(), inside.get(), 100, kPrecision);
        return inside;
      }
      case Kind::kPower:
        return power(value(node.arg(0)), node.arg(1));
      case Kind::kRoot:
        return root(node);
      case Kind::kCall:
        return call(node);
      case Kind::kQuantity:
        return value(node.arg(0));
      default:
        throw NoValue{};
    }
  }

  ArbValue symbol(const std::string& name) {
    const auto found = point_.find(name);
    if (found == point_.end()) throw NoValue{};
    return ArbValue::rational(found->second, kPrecision);
  }

  static ArbValue constant(const std::string& name) {
    ArbValue result;
    if (name == "pi")
      acb_const_pi(result.get(), kPrecision);
    else if (name == "e")
      arb_const_e(acb_realref(result.get()), kPrecision);
    else if (name == "i")
      acb_onei(result.get());
    else
      throw NoValue{};
    return result;
  }

  ArbValue fold(const Node& node) {
    ArbValue total = value(node.arg(0));
    for (size_t i = 1; i < node.args.size(); ++i) {
      const ArbValue next = value(node.arg(i));
      if (node.is(Kind::kAdd))
        acb_add(total.get(), total.get(), next.get(), kPrecision);
      else
        acb_mul(total.get(), total.get(), next.get(), kPrecision);
    }
    return total;
  }

  // 1/3, 2/5: an odd root of a negative real is real, as in the exact forms.
  static bool has_odd_root(const Node& exponent) {
    const auto is_whole = [](const Node& node) {
      return node.is(Kind::kNumber) && node.value.get_den() == 1;
    };
    return exponent.is(Kind::kDivide) && is_whole(exponent.arg(0)) && is_whole(exponent.arg(1)) &&
           mpz_odd_p(exponent.arg(1).value.get_num_mpz_t());
  }

  ArbValue power(ArbValue base, const Node& exponent) {
    budget_.spend(kFunction);
    if (base.is_negative() && has_odd_root(exponent)) {
      const bool odd = mpz_odd_p(exponent.arg(0).value.get_num_mpz_t());
      acb_neg(base.get(), base.get());
      ArbValue result = plain_power(base, value(exponent));
      if (odd) acb_neg(result.get(), result.get());
      return result;
    }
    return plain_power(base, value(exponent));
  }

  ArbValue plain_power(const ArbValue& base, const ArbValue& exponent) {
    ArbValue result;
    acb_pow(result.get(), base.get(), exponent.get(), kPrecision);
    return result;
  }

  ArbValue root(const Node& node) {
    budget_.spend(kFunction);
    ArbValue inside = value(node.arg(0));
    const Node& index = node.arg(1);
    if (index.is(Kind::kNumber) && index.value == 2) {
      acb_sqrt(inside.get(), inside.get(), kPrecision);
      return inside;
    }
    const bool odd = index.is(Kind::kNumber) && index.value.get_den() == 1 &&
                     mpz_odd_p(index.value.get_num_mpz_t());
    const bool mirrored = odd && inside.is_negative();
    if (mirrored) acb_neg(inside.get(), inside.get());
    ArbValue exponent = value(index);
    acb_inv(exponent.get(), exponent.get(), kPrecision);
    ArbValue result = plain_power(inside, exponent);
    if (mirrored) acb_neg(result.get(), result.get());
    return result;
  }

  ArbValue call(const Node& node) {
    budget_.spend(kFunction);
    std::vector<ArbValue> args;
    for (const Node* arg : node.args) args.push_back(value(*arg));
    ArbValue result;
    if (!call_function(node.text, args, result, kPrecision)) throw NoValue{};
    return result;
  }

  const Point& point_;
  WorkBudget& budget_;
};

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

struct Survey {
  std::map<std::string, int> symbols;  // in the order of their names
  bool has_i = false;
  bool has_steps = false;  // floors and ceilings
  bool are_whole = true;   // symbols stand for whole numbers: all sides have functions of such

  template <class... Nodes>
  void add_side(const Nodes&... nodes) {
    has_whole_functions_ = false;
    (add(nodes), ...);
    are_whole &= has_whole_functions_;
  }

 private:
  void add(const Node& node) {
    if (node.is(Kind::kSymbol)) symbols.emplace(node.text, 0);
    if (node.is(Kind::kConstant, "i")) has_i = true;
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

  bool has_whole_functions_ = false;
};

constexpr int kNumPoints = 7, kNumWholePoints = 32;

int num_points(const Survey& survey) {
  if (survey.symbols.empty()) return 1;
  const int between = survey.are_whole ? 0 : kNumPoints;
  return between + (survey.has_steps ? kNumWholePoints : survey.are_whole ? kNumPoints : 0);
}

// Steps differ at few points, floor(sqrt(n)) and floor(sqrt(n-1)) at squares alone: the first
// symbol takes the whole numbers in order, and some large ones.
long whole_value(int number, bool is_first, long draw) {
  constexpr int kInOrder = 24, kLargest = 2'000;
  if (number >= kInOrder) return kInOrder + draw % kLargest;
  return is_first ? number + 1 : 1 + draw % kInOrder;
}

// Fixed, without pattern: multiples of 1/64 or whole numbers.
Point point_at(const Survey& survey, int number) {
  Point point;
  const bool is_whole = survey.are_whole || number >= kNumPoints;
  uint64_t state = 0x9E3779B97F4A7C15ull * static_cast<uint64_t>(number + 1);
  for (const auto& symbol : survey.symbols) {
    state = state * 6364136223846793005ull + 1442695040888963407ull;
    const auto draw = static_cast<long>(state >> 33);
    if (is_whole && survey.has_steps) {
      const int at = survey.are_whole ? number : number - kNumPoints;
      point[symbol.first] = whole_value(at, point.empty(), draw);
    } else if (is_whole) {
      point[symbol.first] = 3 + draw % 17;
    } else {
      mpq_class value(20 + draw % 241, 64);
      value.canonicalize();
      point[symbol.first] = number % 3 == 2 ? mpq_class(-value) : value;
    }
  }
  return point;
}

// The difference is zero to this many bits of the larger value; of one when a value is zero.
constexpr long kAgreeingBits = 130;

enum class Agreement { kDifferent, kSame, kUnknown };

Agreement agreement(const ArbValue& a, const ArbValue& b) {
  ArbValue difference;
  acb_sub(difference.get(), a.get(), b.get(), kPrecision);
  if (!acb_contains_zero(difference.get())) return Agreement::kDifferent;
  const bool has_zero = a.is_exact_zero() || b.is_exact_zero();
  const long size = has_zero ? 0 : std::max(a.magnitude(), b.magnitude());
  return difference.magnitude() < size - kAgreeingBits || difference.is_exact_zero()
             ? Agreement::kSame
             : Agreement::kUnknown;
}

// Runs `visit(point)` at every point; NoValue there skips it.
template <class Visit>
ProbeResult at_points(const Survey& survey, const WorkBudget& budget, Visit visit) {
  ProbeResult result;
  for (int number = 0; number < num_points(survey); ++number) {
    if (number >= kNumPoints && budget.spent() > WorkBudget::kSteps / 2) break;  // these will do
    const Point point = point_at(survey, number);
    Agreement found = Agreement::kUnknown;
    try {
      found = visit(point);
    } catch (const NoValue&) {
      continue;  // nothing to compare here
    }
    if (found == Agreement::kDifferent) return {Probe::kDifferent, result.num_points};
    if (found == Agreement::kSame) ++result.num_points;
  }
  const int enough = survey.symbols.empty() ? 1 : 2;
  if (result.num_points >= enough) result.verdict = Probe::kEqual;
  return result;
}

}  // namespace

ProbeResult probe(const Node& a, const Node& b, WorkBudget& budget) {
  Survey survey;
  survey.add_side(a);
  survey.add_side(b);
  return at_points(survey, budget, [&](const Point& point) {
    Evaluator evaluator(point, budget);
    const ArbValue left = evaluator.value(a), right = evaluator.value(b);
    const bool both_real = left.is_real() && right.is_real();
    if (!both_real && !survey.has_i && !survey.symbols.empty()) throw NoValue{};
    return agreement(left, right);
  });
}

ProbeResult probe_ratio(const Node& a0, const Node& a1, const Node& b0, const Node& b1,
                        WorkBudget& budget) {
  Survey survey;
  survey.add_side(a0, a1);
  survey.add_side(b0, b1);
  ArbValue first_a, first_b;
  bool has_first = false;
  return at_points(survey, budget, [&](const Point& point) {
    Evaluator evaluator(point, budget);
    ArbValue a = evaluator.value(a0), b = evaluator.value(b0);
    acb_sub(a.get(), a.get(), evaluator.value(a1).get(), kPrecision);
    acb_sub(b.get(), b.get(), evaluator.value(b1).get(), kPrecision);
    if (acb_contains_zero(a.get()) || acb_contains_zero(b.get()))
      return acb_contains_zero(a.get()) && acb_contains_zero(b.get()) ? Agreement::kUnknown
                                                                      : Agreement::kDifferent;
    if (!has_first) {
      has_first = true;
      first_a = a;
      first_b = b;
      return Agreement::kUnknown;
    }
    acb_mul(a.get(), a.get(), first_b.get(), kPrecision);
    acb_mul(b.get(), b.get(), first_a.get(), kPrecision);
    return agreement(a, b);
  });
}

std::optional<bool> is_within(const Node& a, const mpq_class& b, const mpq_class& tolerance,
                              WorkBudget& budget) {
  const Point nowhere;
  try {
    ArbValue value = Evaluator(nowhere, budget).value(a);
    const ArbValue other = ArbValue::rational(b, kPrecision);
    acb_sub(value.get(), value.get(), other.get(), kPrecision);
    if (!value.is_real()) return false;
    return value.is_at_most(tolerance, kPrecision);
  } catch (const NoValue&) {
    return std::nullopt;
  }
}

std::optional<int> order(const Node& a, const Node& b, WorkBudget& budget) {
  const Point nowhere;
  try {
    const ArbValue left = Evaluator(nowhere, budget).value(a);
    const ArbValue right = Evaluator(nowhere, budget).value(b);
    if (!left.is_real() || !right.is_real()) return std::nullopt;
    if (agreement(left, right) != Agreement::kDifferent) return 0;
    return left.is_below(right) ? -1 : 1;
  } catch (const NoValue&) {
    return std::nullopt;
  }
}

}  // namespace covrl::math
