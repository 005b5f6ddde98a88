#include "verifiers/canonical.h"

#include <cstdlib>
#include <utility>

#include "verifiers/whole_numbers.h"

namespace covrl::math {

namespace {

using Kind = NodeKind;
using Result = Algebra::Result;

bool is_whole(const mpq_class& value) { return value.get_den() == 1; }

}  // namespace

const Result& Canonicalizer::value(const Node& node) {
  const auto found = known_.find(&node);
  if (found != known_.end()) return found->second;
  budget_.spend(20);
  Result result = compute(node);
  return known_.emplace(&node, std::move(result)).first->second;
}

Result Canonicalizer::compute(const Node& node) {
  switch (node.kind) {
    case Kind::kNumber:
      return Algebra::number(node.value);
    case Kind::kSymbol:
      return algebra_.power_of(generators_.id(node.text, GeneratorKind::kVariable), {1, 1});
    case Kind::kConstant:
      return constant(node);
    case Kind::kAdd:
      return fold(node, /*is_sum=*/true);
    case Kind::kMultiply:
      return fold(node, /*is_sum=*/false);
    case Kind::kNegate: {
      const Result& inside = value(node.arg(0));
      return inside ? Result(algebra_.negate(*inside)) : std::nullopt;
    }
    case Kind::kDivide: {
      const Result& above = value(node.arg(0));
      const Result& below = value(node.arg(1));
      return above && below ? algebra_.divide(*above, *below) : std::nullopt;
    }
    case Kind::kPercent: {
      const Result& inside = value(node.arg(0));
      return inside ? algebra_.multiply(*inside, Algebra::number(mpq_class(1, 100))) : std::nullopt;
    }
    case Kind::kPower:
      return power(node.arg(0), node.arg(1));
    case Kind::kRoot:
      return root(node);
    case Kind::kCall:
      return call(node);
    case Kind::kQuantity:
      return value(node.arg(0));
    default:
      return std::nullopt;
  }
}

Result Canonicalizer::constant(const Node& node) {
  if (node.text == "i")
    return algebra_.power_of(generators_.id("i", GeneratorKind::kImaginary), {1, 1});
  if (node.text == "pi" || node.text == "e")
    return algebra_.power_of(generators_.id(node.text, GeneratorKind::kPositive), {1, 1});
  return std::nullopt;
}

Result Canonicalizer::fold(const Node& node, bool is_sum) {
  Result total = Algebra::number(is_sum ? 0 : 1);
  for (const Node* arg : node.args) {
    const Result& next = value(*arg);
    if (!next || !total) return std::nullopt;
    total = is_sum ? algebra_.add(std::move(*total), *next) : algebra_.multiply(*total, *next);
  }
  return total;
}

// ---- Powers and roots.

Result Canonicalizer::power(const Node& base_node, const Node& exponent_node) {
  const Result& exponent = value(exponent_node);
  const Result& base = value(base_node);
  if (!base || !exponent) return std::nullopt;
  if (const auto constant = exponent->constant()) return rational_power(*base, *constant);
  return symbolic_power(*base, *exponent);
}

Result Canonicalizer::rational_power(const RationalFunction& base, const mpq_class& exponent) {
  if (const auto constant = base.constant(); constant && abs(*constant) <= 1) {
    // The only bases that large exponents leave small.
    if (*constant == 0 && exponent <= 0) throw Undefined{};
    if (*constant == 0 || *constant == 1) return Algebra::number(*constant);
    if (*constant == -1 && is_whole(exponent))
      return Algebra::number(mpz_odd_p(exponent.get_num_mpz_t()) ? -1 : 1);
  }
  const std::optional<Exponent> small = exponent_of(exponent);
  if (!small) {
    if (base.constant()) throw OverBudget{"too large an exponent"};
    return std::nullopt;
  }
  if (small->is_whole()) return algebra_.whole_power(base, small->above);
  if (const auto constant = base.constant()) return number_power(*constant, *small);
  if (base.is_polynomial() && base.above.size() == 1) {
    const auto& [monomial, coefficient] = *base.above.begin();
    if (coefficient < 0) return root_of_sum(base, *small);
    const Result scale = number_power(coefficient, *small);
    const Result rest = term_power(monomial, *small);
    if (scale && rest) return algebra_.multiply(*scale, *rest);
  }
  return root_of_sum(base, *small);
}

// Of a number: its primes under the root. Odd roots of negative numbers are real.
Result Canonicalizer::number_power(const mpq_class& base, const Exponent& exponent) {
  if (base < 0) {
    const Result size = number_power(-base, exponent);
    if (!size) return std::nullopt;
    if (exponent.below % 2 == 1)
      return exponent.above % 2 == 0 ? size : Result(algebra_.negate(*size));
    if (exponent.below != 2) return std::nullopt;
    const int imaginary = generators_.id("i", GeneratorKind::kImaginary);
    return algebra_.multiply(*size, algebra_.power_of(imaginary, {exponent.above, 1}));
  }
  Result result = Algebra::number(1);
  for (const bool is_above : {true, false}) {
    const Factors factors = factors_of(is_above ? base.get_num() : base.get_den(), budget_);
    for (const auto& [prime, multiplicity] : factors.primes) {
      const int id = generators_.id(std::to_string(prime), GeneratorKind::kPrime, prime);
      const Exponent power = exponent * Exponent{is_above ? multiplicity : -multiplicity, 1};
      result = algebra_.multiply(*result, algebra_.power_of(id, power));
      if (!result) return std::nullopt;
    }
    if (factors.rest != 1) {
      const int id = generators_.id(factors.rest.get_str(), GeneratorKind::kBig);
      const Exponent power = exponent * Exponent{is_above ? 1 : -1, 1};
      result = algebra_.multiply(*result, algebra_.power_of(id, power));
    }
  }
  return result;
}

// (p q)^r = p^r q^r where at most one factor may be negative and that one has the power 1.
Result Canonicalizer::term_power(const Monomial& monomial, const Exponent& exponent) {
  RationalFunction result = Algebra::number(1);
  int num_free = 0;
  for (const GeneratorPower& factor : monomial) {
    const GeneratorKind kind = generators_[factor.generator].kind;
    const bool positive = kind == GeneratorKind::kPositive || kind == GeneratorKind::kPrime ||
                          kind == GeneratorKind::kBig;
    if (!positive && (++num_free > 1 || factor.exponent != Exponent{1, 1})) return std::nullopt;
    const Result next =
        algebra_.multiply(result, algebra_.power_of(factor.generator, factor.exponent * exponent));
    if (!next) return std::nullopt;
    result = *next;
  }
  return result;
}

// (1 + 8n)^(3/2) = (1 + 8n) * {1 + 8n}^(1/2), with {} opaque.
Result Canonicalizer::root_of_sum(const RationalFunction& base, const Exponent& exponent) {
  int64_t whole = exponent.above / exponent.below;
  if (exponent.above < 0) --whole;
  const Result outside = algebra_.whole_power(base, whole);
  const std::string name = "{" + algebra_.text(base) + "}";
  const int id = generators_.id(name, GeneratorKind::kOpaque);
  if (!outside) return std::nullopt;
  return algebra_.multiply(*outside, algebra_.power_of(id, exponent + Exponent{-whole, 1}));
}

// a^(2n - 1) = (a^n)^2 / a
Result Canonicalizer::symbolic_power(const RationalFunction& base,
                                     const RationalFunction& exponent) {
  if (!exponent.is_polynomial())
    return opaque("(" + algebra_.text(base) + ")^(" + algebra_.text(exponent) + ")");
  if (const auto constant = base.constant()) {
    if (*constant == 0) return std::nullopt;
    if (*constant < 0)
      return opaque("(" + algebra_.text(base) + ")^(" + algebra_.text(exponent) + ")");
    Result result = Algebra::number(1);
    for (const bool is_above : {true, false}) {
      const Factors factors =
          factors_of(is_above ? constant->get_num() : constant->get_den(), budget_);
      if (factors.rest != 1) return opaque(constant->get_str() + "^" + algebra_.text(exponent));
      for (const auto& [prime, multiplicity] : factors.primes) {
        const auto scaled =
            algebra_.multiply(exponent, Algebra::number(is_above ? multiplicity : -multiplicity));
        if (!scaled) return std::nullopt;
        const Result factor =
            power_of_base(std::to_string(prime), GeneratorKind::kPrime, prime, *scaled);
        if (!factor) return std::nullopt;
        result = algebra_.multiply(*result, *factor);
        if (!result) return std::nullopt;
      }
    }
    return result;
  }
  const bool is_generator = base.is_polynomial() && base.above.size() == 1 &&
                            base.above.begin()->second == 1 &&
                            base.above.begin()->first.size() == 1 &&
                            base.above.begin()->first[0].exponent == Exponent{1, 1};
  if (!is_generator)
    return opaque("(" + algebra_.text(base) + ")^(" + algebra_.text(exponent) + ")");
  const Generator generator = generators_[base.above.begin()->first[0].generator];
  return power_of_base(generator.name, generator.kind, generator.prime, exponent);
}

// The product, over the terms c*m of the exponent, of (base^m)^c.
Result Canonicalizer::power_of_base(const std::string& name, GeneratorKind kind,
                                    unsigned long prime, const RationalFunction& exponent) {
  const bool positive = kind == GeneratorKind::kPositive || kind == GeneratorKind::kPrime;
  Result result = Algebra::number(1);
  for (const auto& [monomial, coefficient] : exponent.above) {
    const std::optional<Exponent> power = exponent_of(coefficient);
    if (!power) return std::nullopt;
    int id = generators_.id(name, kind, prime);
    Exponent of_generator = *power;
    if (!monomial.empty()) {
      // Of what may be negative only whole powers can be taken apart.
      const mpq_class unit = positive ? mpq_class(1) : mpq_class(1, power->below);
      bool is_real = true;
      for (const GeneratorPower& factor : monomial)
        is_real &= generators_[factor.generator].kind == GeneratorKind::kVariable ||
                   generators_[factor.generator].kind == GeneratorKind::kPositive;
      RationalFunction term = Algebra::number(1);
      term.above = {{monomial, unit}};
      id = generators_.id(name + "^(" + algebra_.text(term) + ")",
                          positive && is_real ? GeneratorKind::kPositive : GeneratorKind::kOpaque);
      if (!positive) of_generator = {power->above, 1};
    }
    result = algebra_.multiply(*result, algebra_.power_of(id, of_generator));
    if (!result) return std::nullopt;
  }
  return result;
}

Result Canonicalizer::root(const Node& node) {
  const Result& index = value(node.arg(1));
  const Result& base = value(node.arg(0));
  if (!index || !base) return std::nullopt;
  const auto constant = index->constant();
  if (!constant) return opaque("root", node);
  if (*constant == 0) throw Undefined{};
  return rational_power(*base, 1 / *constant);
}

// ---- Functions.

Result Canonicalizer::call(const Node& node) {
  if (node.text == "ln") return logarithm(node);
  if (node.text == "det") return opaque(to_text(node));
  const Result whole = whole_call(node);
  return whole ? whole : opaque(node.text, node);
}

// ln 12 = 2 ln 2 + ln 3
Result Canonicalizer::logarithm(const Node& node) {
  const Result& inside = value(node.arg(0));
  if (!inside) return std::nullopt;
  const auto constant = inside->constant();
  if (!constant) {
    const bool power_of_e = inside->is_polynomial() && inside->above.size() == 1 &&
                            inside->above.begin()->second == 1 &&
                            inside->above.begin()->first.size() == 1 &&
                            generators_[inside->above.begin()->first[0].generator].name == "e";
    if (!power_of_e) return opaque("ln", node);
    const Exponent power = inside->above.begin()->first[0].exponent;
    return Algebra::number(mpq_class(power.above, static_cast<unsigned long>(power.below)));
  }
  if (*constant == 0) throw Undefined{};
  if (*constant < 0) return opaque("ln", node);
  Result sum = Algebra::number(0);
  for (const bool is_above : {true, false}) {
    const Factors factors =
        factors_of(is_above ? constant->get_num() : constant->get_den(), budget_);
    if (factors.rest != 1) return opaque("ln", node);
    for (const auto& [prime, multiplicity] : factors.primes) {
      const int id = generators_.id("ln(" + std::to_string(prime) + ")", GeneratorKind::kOpaque);
      const auto term = algebra_.multiply(Algebra::number(is_above ? multiplicity : -multiplicity),
                                          algebra_.power_of(id, {1, 1}));
      sum = term ? algebra_.add(std::move(*sum), *term) : std::nullopt;
      if (!sum) return std::nullopt;
    }
  }
  return sum;
}

// Functions of numbers whose values are numbers; nullopt for all else.
Result Canonicalizer::whole_call(const Node& node) {
  std::vector<mpq_class> args;
  for (const Node* arg : node.args) {
    const Result& inside = value(*arg);
    const auto constant = inside ? inside->constant() : std::nullopt;
    if (!constant) return std::nullopt;
    args.push_back(*constant);
  }
  const std::optional<mpq_class> result = number_function(node.text, args, budget_);
  return result ? Result(Algebra::number(*result)) : std::nullopt;
}

// A generator named after the canonical arguments.
Result Canonicalizer::opaque(const std::string& name, const Node& node) {
  std::string text = name + "(";
  for (const Node* arg : node.args) {
    const Result& inside = value(*arg);
    text += (inside ? algebra_.text(*inside) : to_text(*arg)) + ",";
  }
  return opaque(text + ")");
}

Result Canonicalizer::opaque(const std::string& name) {
  budget_.spend(static_cast<int64_t>(20 + name.size() / 4));
  return algebra_.power_of(generators_.id(name, GeneratorKind::kOpaque), {1, 1});
}

}  // namespace covrl::math
