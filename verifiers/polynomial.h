// Exact values: quotients of polynomials in generators, with rational exponents. A generator is a
// variable, a prime under a root, pi, e, i, or something opaque such as sin(x). Roots of different
// primes are linearly independent over the rationals (Besicovitch, 1940), so a value without opaque
// generators is zero only when its numerator has no terms.
#pragma once

#include <gmpxx.h>

#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "verifiers/work_budget.h"

namespace covrl::math {

// A rational exponent; what does not fit throws OverBudget.
struct Exponent {
  int64_t above = 0, below = 1;

  auto operator<=>(const Exponent&) const = default;
  bool is_whole() const { return below == 1; }
  std::string text() const;
};
Exponent make_exponent(int64_t above, int64_t below);
std::optional<Exponent> exponent_of(const mpq_class& value);  // nullopt when too large
Exponent operator+(const Exponent& a, const Exponent& b);
Exponent operator*(const Exponent& a, const Exponent& b);

enum class GeneratorKind {
  kVariable,
  kPrime,      // `prime`; its powers are folded to exponents below 1
  kBig,        // a positive number that was not factored
  kImaginary,  // i^2 = -1
  kPositive,   // pi, e, 2^n: real and above zero where variables are real
  kOpaque,     // anything else
};

struct Generator {
  std::string name;
  GeneratorKind kind;
  unsigned long prime = 0;
};

// Names the generators of one verification: the same name is the same generator.
class Generators {
 public:
  int id(const std::string& name, GeneratorKind kind, unsigned long prime = 0);
  const Generator& operator[](int id) const { return all_[static_cast<size_t>(id)]; }

 private:
  std::vector<Generator> all_;
  std::unordered_map<std::string, int> ids_;
};

struct GeneratorPower {
  int generator;
  Exponent exponent;
  auto operator<=>(const GeneratorPower&) const = default;
};
using Monomial = std::vector<GeneratorPower>;      // in the order of generators, no zero exponents
using Polynomial = std::map<Monomial, mpq_class>;  // no zero coefficients

struct RationalFunction {
  Polynomial above, below;

  bool is_zero() const { return above.empty(); }
  bool is_polynomial() const;  // below is 1
  std::optional<mpq_class> constant() const;
};

// Arithmetic within the bounds of WorkBudget. nullopt: more than kMostTerms terms or kMostBits
// bits.
class Algebra {
 public:
  Algebra(Generators& generators, WorkBudget& budget) : generators_(generators), budget_(budget) {}

  using Result = std::optional<RationalFunction>;

  static RationalFunction number(const mpq_class& value);
  RationalFunction power_of(int generator, const Exponent& exponent) const;

  // A sum that grows is given away and comes back: it is not copied at every term.
  Result add(RationalFunction a, const RationalFunction& b) const;
  Result multiply(const RationalFunction& a, const RationalFunction& b) const;
  // Throws Undefined when `b` is zero.
  Result divide(const RationalFunction& a, const RationalFunction& b) const;
  Result whole_power(const RationalFunction& base, int64_t exponent) const;
  RationalFunction negate(RationalFunction a) const;

  // Zero or not, for certain; nullopt: generators that may depend on each other are in it.
  std::optional<bool> is_zero(const RationalFunction& a) const;
  // a = c * b for a number c that is not zero: c. For certain when found.
  std::optional<mpq_class> ratio(const RationalFunction& a, const RationalFunction& b) const;

  std::string text(const RationalFunction& a) const;
  bool is_independent(const Polynomial& a) const;

 private:
  std::optional<Polynomial> product(const Polynomial& a, const Polynomial& b) const;
  void add_term(Polynomial& sum, Monomial monomial, mpq_class coefficient) const;
  std::string text(const Polynomial& a) const;

  Generators& generators_;
  WorkBudget& budget_;
};

// 1/0, 0/0, 0^0.
struct Undefined {};

}  // namespace covrl::math
