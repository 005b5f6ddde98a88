#include "verifiers/arb_value.h"

#include <flint/fmpq.h>

#include <unordered_map>

namespace covrl::math {

namespace {

using Unary = void (*)(acb_t, const acb_t, slong);

void secant(acb_t result, const acb_t x, slong precision) {
  acb_cos(result, x, precision);
  acb_inv(result, result, precision);
}
void cosecant(acb_t result, const acb_t x, slong precision) {
  acb_sin(result, x, precision);
  acb_inv(result, result, precision);
}
void arccotangent(acb_t result, const acb_t x, slong precision) {
  acb_inv(result, x, precision);
  acb_atan(result, result, precision);
}
void factorial(acb_t result, const acb_t x, slong precision) {
  acb_add_ui(result, x, 1, precision);
  acb_gamma(result, result, precision);
}
void absolute(acb_t result, const acb_t x, slong precision) {
  arb_t size;
  arb_init(size);
  acb_abs(size, x, precision);
  acb_set_arb(result, size);
  arb_clear(size);
}
// What rounding gave when it is one whole number. About a whole number, within 2^-100, that number:
// log_2 8 is 3. Else not finite.
void keep_whole(acb_t result, const acb_t x) {
  if (arb_is_int(acb_realref(result))) return;
  fmpz_t whole;
  fmpz_init(whole);
  const bool is_close = arb_get_unique_fmpz(whole, acb_realref(x)) != 0 &&
                        mag_cmp_2exp_si(arb_radref(acb_realref(x)), -100) < 0;
  acb_set_fmpz(result, whole);
  fmpz_clear(whole);
  if (!is_close) acb_indeterminate(result);
}
void floor_of(acb_t result, const acb_t x, slong precision) {
  arb_floor(acb_realref(result), acb_realref(x), precision);
  keep_whole(result, x);
}
void ceiling_of(acb_t result, const acb_t x, slong precision) {
  arb_ceil(acb_realref(result), acb_realref(x), precision);
  keep_whole(result, x);
}

const std::unordered_map<std::string, Unary>& unary_functions() {
  static const std::unordered_map<std::string, Unary> functions = {
      {"sin", acb_sin},       {"cos", acb_cos},         {"tan", acb_tan},
      {"cot", acb_cot},       {"sec", secant},          {"csc", cosecant},
      {"sinh", acb_sinh},     {"cosh", acb_cosh},       {"tanh", acb_tanh},
      {"coth", acb_coth},     {"ln", acb_log},          {"arcsin", acb_asin},
      {"arccos", acb_acos},   {"arctan", acb_atan},     {"arccot", arccotangent},
      {"arcsinh", acb_asinh}, {"arccosh", acb_acosh},   {"arctanh", acb_atanh},
      {"Gamma", acb_gamma},   {"factorial", factorial}, {"abs", absolute},
      {"floor", floor_of},    {"ceil", ceiling_of}};
  return functions;
}

void binomial(const ArbValue& n, const ArbValue& k, ArbValue& result, long precision) {
  ArbValue rest, below;
  acb_sub(rest.get(), n.get(), k.get(), precision);
  factorial(result.get(), n.get(), precision);
  factorial(below.get(), k.get(), precision);
  acb_div(result.get(), result.get(), below.get(), precision);
  factorial(below.get(), rest.get(), precision);
  acb_div(result.get(), result.get(), below.get(), precision);
}

}  // namespace

ArbValue ArbValue::rational(const mpq_class& value, long precision) {
  ArbValue result;
  fmpq_t exact;
  fmpq_init(exact);
  fmpq_set_mpq(exact, value.get_mpq_t());
  acb_set_fmpq(result.value_, exact, precision);
  fmpq_clear(exact);
  return result;
}

long ArbValue::magnitude() const {
  constexpr long kNone = -(1L << 40);
  mag_t size;
  mag_init(size);
  acb_get_mag(size, value_);
  const bool small =
      mag_is_zero(size) != 0 || mag_is_inf(size) != 0 || !COEFF_IS_MPZ(MAG_EXP(size));
  const long power = mag_is_zero(size)  ? kNone
                     : mag_is_inf(size) ? -kNone
                     : small            ? static_cast<long>(MAG_EXP(size))
                                        : (fmpz_sgn(MAG_EXPREF(size)) > 0 ? -kNone : kNone);
  mag_clear(size);
  return power;
}

bool ArbValue::is_at_most(const mpq_class& bound, long precision) const {
  const ArbValue limit = rational(bound, precision);
  arb_t size;
  arb_init(size);
  arb_abs(size, acb_realref(value_));
  const bool within = arb_le(size, acb_realref(limit.value_)) != 0;
  arb_clear(size);
  return within;
}

void free_caches_at_thread_exit() {
  struct Caches {
    Caches() {}
    ~Caches() { flint_cleanup(); }
  };
  static thread_local const Caches caches;
}

bool call_function(const std::string& name, const std::vector<ArbValue>& args, ArbValue& result,
                   long precision) {
  if (args.size() == 2 && name == "binom") {
    binomial(args[0], args[1], result, precision);
    return true;
  }
  if (args.size() != 1) return false;
  const auto found = unary_functions().find(name);
  if (found == unary_functions().end()) return false;
  const bool whole = name == "floor" || name == "ceil";
  if (whole && !args[0].is_real()) return false;
  found->second(result.get(), args[0].get(), precision);
  return true;
}

}  // namespace covrl::math
