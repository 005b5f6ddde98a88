#include "verifiers/probe.h"

#include <flint/flint.h>
#include <flint/fmpq.h>
#include <flint/fmpz.h>

#include <algorithm>
#include <string>

#include "verifiers/arb_value.h"
#include "verifiers/probe_points.h"

namespace covrl::math {

namespace {

using Kind = NodeKind;

constexpr long kPrecision = 192;
constexpr int64_t kOperation = 60, kFunction = 600;

struct NoValue {};

struct Arithmetic {
  long precision = kPrecision;
  bool is_real = false;  // no part has a value that is not real
};

class Evaluator {
 public:
  Evaluator(const Point& point, WorkBudget& budget, const Arithmetic& arithmetic = {})
      : point_(point),
        budget_(budget),
        precision_(arithmetic.precision),
        is_real_(arithmetic.is_real) {
    free_caches_at_thread_exit();
  }

  // Throws NoValue where the expression has none that is finite.
  ArbValue value(const Node& node) {
    spend(kOperation);
    ArbValue result = compute(node);
    if (!acb_is_finite(result.get()) || (is_real_ && !result.is_real())) throw NoValue{};
    constexpr long kLargestPower = 1 << 20;
    if (acb_rel_accuracy_bits(result.get()) > 0 && result.magnitude() > kLargestPower)
      throw OverBudget{"too large a value"};
    return result;
  }

 private:
  void spend(int64_t steps) { budget_.spend(steps * precision_ / kPrecision); }

  ArbValue compute(const Node& node) {
    switch (node.kind) {
      case Kind::kNumber:
        spend(kOperation);
        return ArbValue::rational(node.value, precision_);
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
        acb_div(above.get(), above.get(), below.get(), precision_);
        return above;
      }
      case Kind::kPercent: {
        ArbValue inside = value(node.arg(0));
        acb_div_ui(inside.get(), inside.get(), 100, precision_);
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
    return ArbValue::rational(found->second, precision_);
  }

  ArbValue constant(const std::string& name) {
    ArbValue result;
    if (name == "pi")
      acb_const_pi(result.get(), precision_);
    else if (name == "e")
      arb_const_e(acb_realref(result.get()), precision_);
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
        acb_add(total.get(), total.get(), next.get(), precision_);
      else
        acb_mul(total.get(), total.get(), next.get(), precision_);
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
    spend(kFunction);
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
    acb_pow(result.get(), base.get(), exponent.get(), precision_);
    return result;
  }

  ArbValue root(const Node& node) {
    spend(kFunction);
    ArbValue inside = value(node.arg(0));
    const Node& index = node.arg(1);
    if (index.is(Kind::kNumber) && index.value == 2) {
      acb_sqrt(inside.get(), inside.get(), precision_);
      return inside;
    }
    const bool odd = index.is(Kind::kNumber) && index.value.get_den() == 1 &&
                     mpz_odd_p(index.value.get_num_mpz_t());
    const bool mirrored = odd && inside.is_negative();
    if (mirrored) acb_neg(inside.get(), inside.get());
    ArbValue exponent = value(index);
    acb_inv(exponent.get(), exponent.get(), precision_);
    ArbValue result = plain_power(inside, exponent);
    if (mirrored) acb_neg(result.get(), result.get());
    return result;
  }

  ArbValue call(const Node& node) {
    spend(kFunction);
    std::vector<ArbValue> args;
    for (const Node* arg : node.args) args.push_back(value(*arg));
    ArbValue result;
    if (!call_function(node.text, args, result, precision_)) throw NoValue{};
    return result;
  }

  const Point& point_;
  WorkBudget& budget_;
  const long precision_;
  const bool is_real_;
};

enum class Agreement { kDifferent, kSame, kUnknown };

struct Comparison {
  Agreement found = Agreement::kUnknown;
  long precision = 0;  // that may tell more
};

// The difference is zero to this many bits of one, of the larger value where both are below one.
constexpr long kAgreeingBits = 130;

Comparison compared(const ArbValue& a, const ArbValue& b) {
  constexpr long kLargest = 4'096;  // more bits are not asked for
  ArbValue difference;
  acb_sub(difference.get(), a.get(), b.get(), 2 * kLargest);
  if (!acb_contains_zero(difference.get())) return {Agreement::kDifferent};
  const bool has_zero = a.is_exact_zero() || b.is_exact_zero();
  const long size = has_zero ? 0 : std::max(a.magnitude(), b.magnitude());
  if (difference.magnitude() < std::min(size, 0L) - kAgreeingBits || difference.is_exact_zero())
    return {Agreement::kSame};
  return {Agreement::kUnknown, size > kLargest ? 0 : 2 * kPrecision + std::max(size, 0L)};
}

// Visits a point, again with more bits where it takes them. Constants have no second point: that
// they are the same is asked twice, which tells 1 from cos(10^-30).
template <class Visit>
Agreement at_point(const Point& point, Visit visit) {
  constexpr long kForConstants = 1'024;
  const Comparison first = visit(point, kPrecision);
  if (first.found == Agreement::kSame && point.empty()) return visit(point, kForConstants).found;
  return first.precision > 0 ? visit(point, first.precision).found : first.found;
}

// Runs `visit(point, precision)` at every point; NoValue there skips it, as does too large a value
// far out.
template <class Visit>
ProbeResult at_points(const Survey& survey, const WorkBudget& budget, Visit visit) {
  constexpr int kAlways = 7;
  ProbeResult result;
  const PointCounts counts = point_counts(survey);
  for (int number = 0; number < counts.near + counts.far + counts.whole; ++number) {
    if (number >= kAlways && budget.spent() > WorkBudget::kSteps / 2) break;  // these will do
    Agreement found = Agreement::kUnknown;
    try {
      found = at_point(point_at(survey, counts, number), visit);
    } catch (const NoValue&) {
      continue;  // nothing to compare here
    } catch (const OverBudget&) {
      const bool is_far = number >= counts.near && number < counts.near + counts.far;
      if (!is_far || budget.spent() > WorkBudget::kSteps) throw;
      continue;
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
  return at_points(survey, budget, [&](const Point& point, long precision) {
    Evaluator evaluator(point, budget, {precision, survey.is_real()});
    return compared(evaluator.value(a), evaluator.value(b));
  });
}

ProbeResult probe_ratio(const Node& a0, const Node& a1, const Node& b0, const Node& b1,
                        WorkBudget& budget) {
  Survey survey;
  survey.add_side(a0, a1);
  survey.add_side(b0, b1);
  const auto difference = [&](const Node& left, const Node& right, const Point& point, long bits) {
    Evaluator evaluator(point, budget, {bits, survey.is_real()});
    ArbValue result = evaluator.value(left);
    acb_sub(result.get(), result.get(), evaluator.value(right).get(), bits);
    return result;
  };
  std::optional<Point> first;
  return at_points(survey, budget, [&](const Point& point, long bits) {
    ArbValue a = difference(a0, a1, point, bits), b = difference(b0, b1, point, bits);
    if (acb_contains_zero(a.get()) || acb_contains_zero(b.get()))
      return acb_contains_zero(a.get()) && acb_contains_zero(b.get())
                 ? Comparison{}
                 : Comparison{Agreement::kDifferent};
    if (!first) {
      first = point;
      return Comparison{};
    }
    acb_mul(a.get(), a.get(), difference(b0, b1, *first, bits).get(), bits);
    acb_mul(b.get(), b.get(), difference(a0, a1, *first, bits).get(), bits);
    return compared(a, b);
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
    if (compared(left, right).found != Agreement::kDifferent) return 0;
    return left.is_below(right) ? -1 : 1;
  } catch (const NoValue&) {
    return std::nullopt;
  }
}

}  // namespace covrl::math
