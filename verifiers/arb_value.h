// An Arb complex interval as a value.
#pragma once

#include <gmpxx.h>

#if __has_include(<flint/acb.h>)
#include <flint/acb.h>  // FLINT 3
#else
#include <acb.h>  // Arb 2 beside FLINT 2
#endif

#include <string>
#include <vector>

namespace covrl::math {

class ArbValue {
 public:
  ArbValue() { acb_init(value_); }
  ~ArbValue() { acb_clear(value_); }
  ArbValue(const ArbValue& other) : ArbValue() { acb_set(value_, other.value_); }
  ArbValue(ArbValue&& other) noexcept : ArbValue() { acb_swap(value_, other.value_); }
  ArbValue& operator=(ArbValue other) noexcept {
    acb_swap(value_, other.value_);
    return *this;
  }

  static ArbValue rational(const mpq_class& value, long precision);

  acb_ptr get() { return value_; }
  acb_srcptr get() const { return value_; }

  // Power of two above the largest absolute value inside; very small for zero.
  long magnitude() const;
  bool is_real() const { return acb_is_real(value_) != 0; }
  bool is_negative() const { return is_real() && arb_is_negative(acb_realref(value_)) != 0; }
  bool is_exact_zero() const { return acb_is_zero(value_) != 0; }
  bool is_below(const ArbValue& other) const {
    return arb_lt(acb_realref(value_), acb_realref(other.value_)) != 0;
  }
  bool is_at_most(const mpq_class& bound, long precision) const;  // |real part|, for certain

 private:
  acb_t value_;
};

// Arb keeps constants by thread; without this they would stay when the thread ends. To be called
// before the first value of a computation.
void free_caches_at_thread_exit();

// sin, ln, factorial, ...; false for a function that has no value here.
bool call_function(const std::string& name, const std::vector<ArbValue>& args, ArbValue& result,
                   long precision);

}  // namespace covrl::math
