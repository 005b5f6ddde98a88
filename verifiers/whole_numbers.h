// Number theory that answers use: factors, factorials, binomials, residues.
#pragma once

#include <gmpxx.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "verifiers/work_budget.h"

namespace covrl::math {

// value = product of prime^multiplicity, times rest. Primes below 2^16 are found; a rest below
// 2^32 is prime itself.
struct Factors {
  std::vector<std::pair<unsigned long, int64_t>> primes;
  mpz_class rest = 1;
};
Factors factors_of(const mpz_class& positive, WorkBudget& budget);

// factorial, binom, abs, floor, ceil, gcd, lcm, max, min, mod of numbers; nullopt for other
// functions and where they are not defined. Throws OverBudget for results beyond kMostBits.
std::optional<mpq_class> number_function(const std::string& name,
                                         const std::vector<mpq_class>& args, WorkBudget& budget);

}  // namespace covrl::math
