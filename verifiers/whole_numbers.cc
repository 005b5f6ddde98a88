#include "verifiers/whole_numbers.h"

#include <algorithm>
#include <cmath>

namespace covrl::math {

namespace {

bool are_whole(const std::vector<mpq_class>& values) {
  return std::all_of(values.begin(), values.end(),
                     [](const mpq_class& value) { return value.get_den() == 1; });
}

mpq_class factorial(const mpz_class& n, WorkBudget& budget) {
  constexpr unsigned long kLargest = 12'000;
  if (n > kLargest) throw OverBudget{"too large a factorial"};
  budget.spend(static_cast<int64_t>(n.get_ui()) * 4);
  mpz_class result;
  mpz_fac_ui(result.get_mpz_t(), n.get_ui());
  return result;
}

mpq_class binomial(const mpz_class& n, const mpz_class& k, WorkBudget& budget) {
  if (k < 0 || k > n) return 0;
  const mpz_class smaller = std::min(k, mpz_class(n - k));
  const int64_t bits = static_cast<int64_t>(mpz_sizeinbase(n.get_mpz_t(), 2));
  if (smaller > 20'000 || smaller.get_si() * bits > WorkBudget::kMostBits)
    throw OverBudget{"too large a binomial coefficient"};
  budget.spend(smaller.get_si() * 20 + 100);
  mpz_class result;
  mpz_bin_ui(result.get_mpz_t(), n.get_mpz_t(), smaller.get_ui());
  return result;
}

mpq_class rounded(const mpq_class& value, bool down) {
  mpz_class result;
  if (down)
    mpz_fdiv_q(result.get_mpz_t(), value.get_num_mpz_t(), value.get_den_mpz_t());
  else
    mpz_cdiv_q(result.get_mpz_t(), value.get_num_mpz_t(), value.get_den_mpz_t());
  return result;
}

std::optional<mpq_class> of_two(const std::string& name, const mpz_class& a, const mpz_class& b,
                                WorkBudget& budget) {
  if (name == "binom" && a >= 0) return binomial(a, b, budget);
  if (name == "mod" && b > 0) {
    mpz_class result;
    mpz_fdiv_r(result.get_mpz_t(), a.get_mpz_t(), b.get_mpz_t());
    return mpq_class(result);
  }
  return std::nullopt;
}

std::optional<mpq_class> of_many(const std::string& name, const std::vector<mpq_class>& args) {
  if (name == "max") return *std::max_element(args.begin(), args.end());
  if (name == "min") return *std::min_element(args.begin(), args.end());
  if ((name != "gcd" && name != "lcm") || !are_whole(args)) return std::nullopt;
  mpz_class result = args[0].get_num();
  for (const mpq_class& arg : args)
    result = name == "gcd" ? mpz_class(gcd(result, arg.get_num()))
                           : mpz_class(lcm(result, arg.get_num()));
  return mpq_class(result);
}

}  // namespace

Factors factors_of(const mpz_class& positive, WorkBudget& budget) {
  Factors factors;
  factors.rest = positive;
  const auto bits = static_cast<int64_t>(mpz_sizeinbase(positive.get_mpz_t(), 2));
  if (bits > 2'000) return factors;
  for (unsigned long prime = 2; prime < 65'536 && factors.rest != 1; prime += prime == 2 ? 1 : 2) {
    budget.spend(1 + bits / 64);
    if (mpz_cmp_ui(factors.rest.get_mpz_t(), prime * prime) < 0) break;
    int64_t multiplicity = 0;
    for (; mpz_divisible_ui_p(factors.rest.get_mpz_t(), prime); ++multiplicity)
      mpz_divexact_ui(factors.rest.get_mpz_t(), factors.rest.get_mpz_t(), prime);
    if (multiplicity > 0) factors.primes.emplace_back(prime, multiplicity);
  }
  if (factors.rest != 1 && mpz_cmp_ui(factors.rest.get_mpz_t(), 0xFFFFFFFFul) <= 0) {
    factors.primes.emplace_back(factors.rest.get_ui(), 1);
    factors.rest = 1;
  }
  return factors;
}

std::optional<mpq_class> number_function(const std::string& name,
                                         const std::vector<mpq_class>& args, WorkBudget& budget) {
  if (args.empty()) return std::nullopt;
  if (args.size() == 1) {
    if (name == "abs") return mpq_class(abs(args[0]));
    if (name == "floor" || name == "ceil") return rounded(args[0], name == "floor");
    if (name == "factorial" && are_whole(args) && args[0] >= 0)
      return factorial(args[0].get_num(), budget);
  }
  if (args.size() == 2 && are_whole(args) && (name == "binom" || name == "mod"))
    return of_two(name, args[0].get_num(), args[1].get_num(), budget);
  return of_many(name, args);
}

}  // namespace covrl::math
