#include "verifiers/rational.h"

#include <algorithm>
#include <string>

namespace covrl {

namespace {

using Integer = boost::multiprecision::cpp_int;

constexpr size_t kMaxLength = 20000;  // characters of an expression
constexpr int kMaxDepth = 60;         // nested groups
constexpr size_t kMaxBits = 30000;    // of a numerator or denominator: 9,000 digits
constexpr int kMaxFactorial = 5000;
constexpr double kMaxWork = 3e7;  // word operations of one evaluation, about 10 ms

struct Failure {
  NumberFault fault;
};

size_t bits(const Integer& value) { return value == 0 ? 0 : msb(abs(value)) + 1; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Recursive descent over the grammar in the header. Throws Failure.
class Evaluator {
 public:
  explicit Evaluator(std::string_view text) : text_(text) {}

  Number run() {
    Number number;
    number.value = over(sum());
    skip_spaces();
    if (take("%")) number.is_percent = true;
    skip_spaces();
    if (at_ != text_.size()) fail();
    if (num_literals_ == 1 && !has_operator_ && literal_decimals_ > 0) {
      number.significant_digits = literal_digits_;
      number.decimals = literal_decimals_;
    }
    return number;
  }

 private:
  [[noreturn]] void fail() const { throw Failure{NumberFault::kNotANumber}; }
  [[noreturn]] void too_big() const { throw Failure{NumberFault::kTooBig}; }

  void skip_spaces() {
    while (at_ < text_.size() && text_[at_] == ' ') ++at_;
  }
  bool next_is(std::string_view word) const { return text_.substr(at_).starts_with(word); }
  bool take(std::string_view word) {
    if (!next_is(word)) return false;
    at_ += word.size();
    return true;
  }

  // Bounds the size of a result and the work so far. The greatest common divisor dominates: n steps
  // over n/64 words.
  Rational checked(Rational value) {
    const size_t size = std::max(bits(numerator(value)), bits(denominator(value)));
    if (size > kMaxBits) too_big();
    const double words = static_cast<double>(size) / 64 + 1;
    work_ += 64 * words * words;
    if (work_ > kMaxWork) too_big();
    return value;
  }

  Rational sum() {
    if (++depth_ > kMaxDepth) too_big();
    skip_spaces();
    bool negative = false;
    if (next_is("-") || next_is("+")) {
      negative = text_[at_] == '-';
      ++at_;
    }
    Rational value = product();
    if (negative) value = -value;
    for (skip_spaces(); next_is("+") || next_is("-"); skip_spaces()) {
      const bool minus = text_[at_++] == '-';
      has_operator_ = true;
      const Rational term = product();
      value = checked(minus ? Rational(value - term) : Rational(value + term));
    }
    --depth_;
    return value;
  }

  Rational product() {
    Rational value = signed_power();
    for (skip_spaces(); at_ < text_.size(); skip_spaces()) {
      if (take("*") || next_is("(")) {
        has_operator_ = true;
        value = checked(value * signed_power());
      } else if (take("/")) {
        has_operator_ = true;
        value = divided(value, signed_power());
      } else {
        break;
      }
    }
    return value;
  }

  Rational divided(const Rational& above, const Rational& below) {
    if (below == 0) fail();
    return checked(above / below);
  }

  Rational signed_power() {
    skip_spaces();
    bool negative = false;
    while (next_is("-") || next_is("+")) {  // 2 * -3
      if (text_[at_++] == '-') negative = !negative;
      has_operator_ = true;
    }
    Rational value = power();
    return negative ? Rational(-value) : value;
  }

  Rational power() {
    Rational value = postfix();
    if (!take("^")) return value;
    has_operator_ = true;
    skip_spaces();
    const bool negative = take("-");
    Rational exponent = exponent_value();
    if (next_is("^")) fail();
    return raised(value, negative ? Rational(-exponent) : exponent);
  }

  // Of ^ without braces TeX takes one digit; plain text takes the whole number.
  Rational exponent_value() {
    if (at_ == text_.size()) fail();
    return postfix();
  }

  Rational raised(const Rational& base, const Rational& exponent) {
    if (denominator(exponent) != 1) fail();
    const Integer power = numerator(exponent);
    if (base == 0 && power <= 0) fail();
    if (base == 0 || base == 1) return base;
    if (base == -1) return power % 2 == 0 ? Rational(1) : base;
    const size_t size = std::max(bits(numerator(base)), bits(denominator(base)));
    const Integer magnitude = abs(power);
    if (magnitude > kMaxBits || magnitude * (size - 1) > kMaxBits) too_big();
    const auto count = static_cast<unsigned>(magnitude);
    Rational value(boost::multiprecision::pow(numerator(base), count),
                   boost::multiprecision::pow(denominator(base), count));
    value = checked(value);
    return power < 0 ? Rational(1 / value) : value;
  }

  Rational postfix() {
    Rational value = atom();
    skip_spaces();
    if (take("!")) {
      has_operator_ = true;
      if (next_is("!") || denominator(value) != 1 || value < 0) fail();
      if (value > kMaxFactorial) too_big();
      value = factorial(static_cast<int>(numerator(value)));
    }
    return value;
  }

  Rational factorial(int n) {
    Integer product = 1;
    for (int i = 2; i <= n; ++i) product *= i;
    return checked(Rational(product));
  }

  Rational atom() {
    skip_spaces();
    if (at_ == text_.size()) fail();
    if (take("(")) return group(")");
    if (take("{")) return group("}");
    if (next_is("\\frac")) return fraction();
    if (is_digit(text_[at_]) || text_[at_] == '.') return literal();
    fail();
  }

  Rational group(std::string_view close) {
    const Rational value = over(sum());
    if (!take(close)) fail();
    return value;
  }

  // TeX's infix fraction: the whole group before \over by the whole group after it.
  Rational over(const Rational& above) {
    skip_spaces();
    if (!take("\\over")) return above;
    has_operator_ = true;
    const Rational value = divided(above, sum());
    skip_spaces();
    return value;
  }

  Rational fraction() {
    at_ += std::string_view("\\frac").size();
    has_operator_ = true;
    if (!take("{")) fail();
    const Rational above = group("}");
    if (!take("{")) fail();
    return divided(above, group("}"));
  }

  std::string digits() {
    const size_t begin = at_;
    while (at_ < text_.size() && is_digit(text_[at_])) ++at_;
    return std::string(text_.substr(begin, at_ - begin));
  }

  Integer to_integer(const std::string& digits) const {
    if (digits.size() * 10 > kMaxBits * 3) too_big();
    const size_t first = digits.find_first_not_of('0');  // a leading zero would mean octal
    return first == std::string::npos ? Integer(0) : Integer(digits.substr(first));
  }

  Integer power_of_ten(size_t exponent) {
    if (exponent > kMaxBits / 4) too_big();
    return boost::multiprecision::pow(Integer(10), static_cast<unsigned>(exponent));
  }

  // 12, .5, 3.25, 0.\overline{27}, 4.5e33; and the mixed numbers 1\frac{4}{5}, 1 4/5.
  Rational literal() {
    ++num_literals_;
    const std::string whole = digits();
    const bool has_point = take(".");
    const std::string decimals = has_point ? digits() : "";
    if (whole.empty() && decimals.empty() && !next_is("\\overline{")) fail();
    const Integer scale = power_of_ten(decimals.size());
    Rational value = checked(Rational(to_integer(whole + decimals), scale));
    literal_decimals_ = static_cast<int>(decimals.size());
    const std::string all = whole + decimals;
    const size_t first = all.find_first_not_of('0');
    literal_digits_ = first == std::string::npos ? 0 : static_cast<int>(all.size() - first);
    if (has_point && take("\\overline{")) return value + repeating(scale);
    if (has_point && take("\\bar{")) return value + repeating(scale);
    if (next_is("e") || next_is("E")) return scientific(value);
    if (!has_point) return mixed(value);
    return value;
  }

  Rational repeating(const Integer& scale) {
    has_operator_ = true;  // an exact value, not a rounded literal
    const std::string cycle = digits();
    if (cycle.empty() || !take("}")) fail();
    return checked(Rational(to_integer(cycle), (power_of_ten(cycle.size()) - 1) * scale));
  }

  Rational scientific(const Rational& mantissa) {
    ++at_;
    const bool negative = take("-");
    if (!negative) take("+");
    const std::string exponent = digits();
    if (exponent.empty()) fail();
    if (exponent.size() > 6) too_big();
    const Rational scale(power_of_ten(std::stoul(exponent)));
    literal_decimals_ = 0;  // its last digit is not a decimal
    return checked(negative ? Rational(mantissa / scale) : Rational(mantissa * scale));
  }

  // A whole number before a proper fraction adds it; before any other fraction the meaning is open.
  Rational mixed(const Rational& whole) {
    const size_t before = at_;
    skip_spaces();
    Rational part;
    if (next_is("\\frac")) {
      part = fraction();
    } else if (at_ > before && at_ < text_.size() && is_digit(text_[at_])) {
      const std::string above = digits();
      skip_spaces();
      if (!take("/")) fail();
      skip_spaces();
      const std::string below = digits();
      if (below.empty()) fail();
      has_operator_ = true;
      part = divided(Rational(to_integer(above)), Rational(to_integer(below)));
    } else {
      at_ = before;
      return whole;
    }
    if (part < 0 || part >= 1) fail();
    return checked(whole + part);
  }

  std::string_view text_;
  size_t at_ = 0;
  int depth_ = 0;
  double work_ = 0;
  int num_literals_ = 0;
  int literal_digits_ = 0, literal_decimals_ = 0;
  bool has_operator_ = false;
};

bool rounds(const Number& literal, const Number& exact) {
  constexpr int kEnoughDigits = 10;
  if (literal.significant_digits < kEnoughDigits || exact.significant_digits > 0) return false;
  const Rational unit(
      1, boost::multiprecision::pow(Integer(10), static_cast<unsigned>(literal.decimals)));
  return abs(literal.value - exact.value) < unit;
}

bool values_equal(const Number& a, const Number& b) {
  return a.value == b.value || rounds(a, b) || rounds(b, a);
}

}  // namespace

NumberResult parse_number(std::string_view normalised) {
  if (normalised.size() > kMaxLength) return {{}, NumberFault::kTooBig};
  try {
    return {Evaluator(normalised).run(), NumberFault::kNone};
  } catch (const Failure& failure) {
    return {{}, failure.fault};
  }
}

bool numbers_equal(const Number& a, const Number& b) {
  if (values_equal(a, b)) return true;
  if (a.is_percent == b.is_percent) return false;
  const Number& percent = a.is_percent ? a : b;
  const Number& plain = a.is_percent ? b : a;
  return percent.value == plain.value * 100;
}

}  // namespace covrl
