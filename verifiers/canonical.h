// The exact value of an expression, where it has one.
#pragma once

#include <unordered_map>

#include "verifiers/expression.h"
#include "verifiers/polynomial.h"

namespace covrl::math {

// Canonicalises the expressions of one verification; what it found is kept by node.
class Canonicalizer {
 public:
  Canonicalizer(WorkBudget& budget) : algebra_(generators_, budget), budget_(budget) {}

  // nullopt: no value (a structure, a text), or too large a form. Throws Undefined for 1/0,
  // OverBudget for numbers beyond the bounds.
  const std::optional<RationalFunction>& value(const Node& node);

  const Algebra& algebra() const { return algebra_; }

 private:
  using Result = Algebra::Result;

  Result compute(const Node& node);
  Result constant(const Node& node);
  Result fold(const Node& node, bool is_sum);
  Result power(const Node& base_node, const Node& exponent_node);
  Result rational_power(const RationalFunction& base, const mpq_class& exponent);
  Result number_power(const mpq_class& base, const Exponent& exponent);
  Result term_power(const Monomial& monomial, const Exponent& exponent);
  Result root_of_sum(const RationalFunction& base, const Exponent& exponent);
  Result symbolic_power(const RationalFunction& base, const RationalFunction& exponent);
  Result power_of_base(const std::string& name, GeneratorKind kind, unsigned long prime,
                       const RationalFunction& exponent);
  Result root(const Node& node);
  Result call(const Node& node);
  Result logarithm(const Node& node);
  Result whole_call(const Node& node);
  Result opaque(const std::string& name, const Node& node);
  Result opaque(const std::string& name);

  Generators generators_;
  Algebra algebra_;
  WorkBudget& budget_;
  std::unordered_map<const Node*, Result> known_;
};

}  // namespace covrl::math
