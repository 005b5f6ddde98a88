// Exact value of an answer that is a number.
#pragma once

#include <boost/multiprecision/cpp_int.hpp>
#include <optional>
#include <string_view>

namespace covrl {

using Rational = boost::multiprecision::cpp_rational;

struct Number {
  Rational value;
  bool is_percent = false;     // value is what stands before the sign
  int significant_digits = 0;  // of a single decimal literal; 0: not one
  int decimals = 0;            // digits after its point
};

enum class NumberFault { kNone, kNotANumber, kTooBig };

struct NumberResult {
  std::optional<Number> number;
  NumberFault fault = NumberFault::kNone;
};

// `normalised` as normalise() writes it: integers of any size, decimals, 4.5e33, repeating decimals
// (0.\overline{3}), fractions
// (\frac{a}{b}, a/b, {a \over b}), mixed numbers, + - * / ^ ! with parentheses. Digits, nesting and
// the work of an evaluation are bounded: beyond, kTooBig.
NumberResult parse_number(std::string_view normalised);

// Equal exactly; or one is a decimal literal of 10 significant digits or more that rounds (or cuts)
// the other, an exact value; or they agree when a percentage is read as its number or as its
// fraction.
bool numbers_equal(const Number& a, const Number& b);

}  // namespace covrl
