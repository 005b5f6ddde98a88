#include "verifiers/polynomial.h"

#include <algorithm>
#include <cstdlib>
#include <numeric>

namespace covrl::math {

namespace {

constexpr int64_t kLargest = 1 << 20;  // numerator or denominator of an exponent

int64_t bits(const mpq_class& value) {
  return static_cast<int64_t>(mpz_sizeinbase(value.get_num_mpz_t(), 2) +
                              mpz_sizeinbase(value.get_den_mpz_t(), 2));
}

}  // namespace

Exponent make_exponent(int64_t above, int64_t below) {
  const int64_t common = std::gcd(above, below) * (below < 0 ? -1 : 1);
  const Exponent exponent{above / common, below / common};
  if (std::llabs(exponent.above) > kLargest || exponent.below > kLargest)
    throw OverBudget{"too large an exponent"};
  return exponent;
}

std::optional<Exponent> exponent_of(const mpq_class& value) {
  if (bits(value) > 20) return std::nullopt;
  return make_exponent(value.get_num().get_si(), value.get_den().get_si());
}

Exponent operator+(const Exponent& a, const Exponent& b) {
  return make_exponent(a.above * b.below + b.above * a.below, a.below * b.below);
}
Exponent operator*(const Exponent& a, const Exponent& b) {
  return make_exponent(a.above * b.above, a.below * b.below);
}

std::string Exponent::text() const {
  return is_whole() ? std::to_string(above) : std::to_string(above) + "/" + std::to_string(below);
}

int Generators::id(const std::string& name, GeneratorKind kind, unsigned long prime) {
  const auto [entry, is_new] = ids_.try_emplace(name, static_cast<int>(all_.size()));
  if (is_new) all_.push_back({name, kind, prime});
  return entry->second;
}

bool RationalFunction::is_polynomial() const {
  return below.size() == 1 && below.begin()->first.empty() && below.begin()->second == 1;
}

std::optional<mpq_class> RationalFunction::constant() const {
  if (!is_polynomial() || above.size() > 1) return std::nullopt;
  if (above.empty()) return mpq_class(0);
  if (!above.begin()->first.empty()) return std::nullopt;
  return above.begin()->second;
}

RationalFunction Algebra::number(const mpq_class& value) {
  RationalFunction result{{}, {{Monomial{}, mpq_class(1)}}};
  if (value != 0) result.above[Monomial{}] = value;
  return result;
}

RationalFunction Algebra::power_of(int generator, const Exponent& exponent) const {
  RationalFunction result = number(1);
  result.above.clear();
  add_term(result.above, {{generator, exponent}}, 1);
  return result;
}

// Folds i^2 and whole powers of primes into the coefficient.
void Algebra::add_term(Polynomial& sum, Monomial monomial, mpq_class coefficient) const {
  for (GeneratorPower& power : monomial) {
    const Generator& generator = generators_[power.generator];
    Exponent& exponent = power.exponent;
    if (generator.kind == GeneratorKind::kImaginary && exponent.is_whole()) {
      const int64_t turns = ((exponent.above % 4) + 4) % 4;
      if (turns >= 2) coefficient = -coefficient;
      exponent = {turns % 2, 1};
    } else if (generator.kind == GeneratorKind::kPrime) {
      int64_t whole = exponent.above / exponent.below;
      if (exponent.above < 0 && whole * exponent.below != exponent.above) --whole;
      if (whole == 0) continue;
      if (std::llabs(whole) > WorkBudget::kMostBits / 8) throw OverBudget{"too large a power"};
      mpz_class scale;
      mpz_ui_pow_ui(scale.get_mpz_t(), generator.prime,
                    static_cast<unsigned long>(std::llabs(whole)));
      if (whole > 0)
        coefficient *= scale;
      else
        coefficient /= scale;
      exponent = exponent + Exponent{-whole, 1};
    }
  }
  std::erase_if(monomial, [](const GeneratorPower& power) { return power.exponent.above == 0; });
  budget_.spend(20 + bits(coefficient) / 64);
  if (bits(coefficient) > 2 * WorkBudget::kMostBits) throw OverBudget{"too large a number"};
  const auto [entry, is_new] = sum.try_emplace(std::move(monomial), coefficient);
  if (is_new) return;
  entry->second += coefficient;
  if (entry->second == 0) sum.erase(entry);
}

std::optional<Polynomial> Algebra::product(const Polynomial& a, const Polynomial& b) const {
  if (a.size() * b.size() > 4 * WorkBudget::kMostTerms) return std::nullopt;
  Polynomial result;
  for (const auto& [left, left_coefficient] : a)
    for (const auto& [right, right_coefficient] : b) {
      Monomial monomial;
      auto l = left.begin(), r = right.begin();
      while (l != left.end() || r != right.end()) {
        if (r == right.end() || (l != left.end() && l->generator < r->generator)) {
          monomial.push_back(*l++);
        } else if (l == left.end() || r->generator < l->generator) {
          monomial.push_back(*r++);
        } else {
          monomial.push_back({l->generator, l->exponent + r->exponent});
          ++l, ++r;
        }
      }
      budget_.spend((bits(left_coefficient) + bits(right_coefficient)) / 8);
      add_term(result, std::move(monomial), left_coefficient * right_coefficient);
    }
  if (result.size() > WorkBudget::kMostTerms) return std::nullopt;
  return result;
}

Algebra::Result Algebra::add(RationalFunction a, const RationalFunction& b) const {
  if (a.below != b.below) {
    const auto left = product(a.above, b.below);
    const auto right = product(b.above, a.below);
    const auto below = product(a.below, b.below);
    if (!left || !right || !below) return std::nullopt;
    return add({*left, *below}, {*right, *below});
  }
  for (const auto& [monomial, coefficient] : b.above) add_term(a.above, monomial, coefficient);
  if (a.above.size() > WorkBudget::kMostTerms) return std::nullopt;
  return a;
}

Algebra::Result Algebra::multiply(const RationalFunction& a, const RationalFunction& b) const {
  const auto above = product(a.above, b.above);
  const auto below = product(a.below, b.below);
  if (!above || !below) return std::nullopt;
  return RationalFunction{*above, *below};
}

Algebra::Result Algebra::divide(const RationalFunction& a, const RationalFunction& b) const {
  if (b.is_zero()) throw Undefined{};
  if (b.above.size() > 1) return multiply(a, {b.below, b.above});
  // One term: its inverse is a term too.
  const auto& [monomial, coefficient] = *b.above.begin();
  RationalFunction inverse{b.below, number(1).below};
  Monomial powers = monomial;
  for (GeneratorPower& power : powers) power.exponent.above = -power.exponent.above;
  Polynomial factor;
  add_term(factor, std::move(powers), 1 / coefficient);
  const auto above = product(inverse.above, factor);
  if (!above) return std::nullopt;
  inverse.above = *above;
  return multiply(a, inverse);
}

RationalFunction Algebra::negate(RationalFunction a) const {
  budget_.spend(static_cast<int64_t>(10 * a.above.size()));
  for (auto& term : a.above) term.second = -term.second;
  return a;
}

Algebra::Result Algebra::whole_power(const RationalFunction& base, int64_t exponent) const {
  if (exponent < 0) {
    const Result inverse = divide(number(1), base);
    return inverse ? whole_power(*inverse, -exponent) : std::nullopt;
  }
  if (exponent == 0 && base.is_zero()) throw Undefined{};
  if (base.is_polynomial() && base.above.size() == 1) {  // a term
    const auto& [monomial, coefficient] = *base.above.begin();
    if (bits(coefficient) > 2 && bits(coefficient) * exponent > WorkBudget::kMostBits)
      throw OverBudget{"too large a power"};
    mpq_class scale;
    const auto n = static_cast<unsigned long>(exponent);
    mpz_pow_ui(scale.get_num_mpz_t(), coefficient.get_num_mpz_t(), n);
    mpz_pow_ui(scale.get_den_mpz_t(), coefficient.get_den_mpz_t(), n);
    Monomial powers = monomial;
    for (GeneratorPower& power : powers) power.exponent = power.exponent * Exponent{exponent, 1};
    RationalFunction result = number(1);
    result.above.clear();
    add_term(result.above, std::move(powers), scale);
    return result;
  }
  constexpr int64_t kMostFactors = 64;
  if (exponent > kMostFactors) return std::nullopt;
  Result result = number(1);
  for (int64_t i = 0; i < exponent && result; ++i) result = multiply(*result, base);
  return result;
}

bool Algebra::is_independent(const Polynomial& a) const {
  for (const auto& term : a)
    for (const GeneratorPower& power : term.first) {
      const GeneratorKind kind = generators_[power.generator].kind;
      if (kind == GeneratorKind::kOpaque || kind == GeneratorKind::kBig) return false;
      if (kind == GeneratorKind::kImaginary && !power.exponent.is_whole()) return false;
    }
  return true;
}

std::optional<bool> Algebra::is_zero(const RationalFunction& a) const {
  if (a.is_zero()) return true;
  if (is_independent(a.above)) return false;
  return std::nullopt;
}

std::optional<mpq_class> Algebra::ratio(const RationalFunction& a,
                                        const RationalFunction& b) const {
  const auto left = product(a.above, b.below);
  const auto right = product(b.above, a.below);
  if (!left || !right || left->empty() || left->size() != right->size()) return std::nullopt;
  const mpq_class scale = left->begin()->second / right->begin()->second;
  for (auto l = left->begin(), r = right->begin(); l != left->end(); ++l, ++r)
    if (l->first != r->first || l->second != scale * r->second) return std::nullopt;
  return scale;
}

std::string Algebra::text(const Polynomial& a) const {
  std::string out;
  for (const auto& [monomial, coefficient] : a) {
    if (!out.empty()) out += '+';
    budget_.spend(20 + bits(coefficient) / 3);
    out += coefficient.get_str();
    for (const GeneratorPower& power : monomial) {
      const std::string& name = generators_[power.generator].name;
      budget_.spend(static_cast<int64_t>(5 + name.size()));  // it may hold others in full
      out += "*" + name + "^" + power.exponent.text();
    }
  }
  return out.empty() ? "0" : out;
}

std::string Algebra::text(const RationalFunction& a) const {
  return a.is_polynomial() ? text(a.above) : "(" + text(a.above) + ")/(" + text(a.below) + ")";
}

}  // namespace covrl::math
