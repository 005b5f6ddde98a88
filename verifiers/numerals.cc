#include "verifiers/numerals.h"

#include <cstdlib>

namespace covrl::math {

mpq_class ten_to(long exponent) {
  mpz_class power;
  mpz_ui_pow_ui(power.get_mpz_t(), 10, static_cast<unsigned long>(std::labs(exponent)));
  return exponent < 0 ? mpq_class(mpz_class(1), power) : mpq_class(power);
}

namespace {

// Of the digits without leading zeros.
int significant(const std::string& digits) {
  const size_t first = digits.find_first_not_of('0');
  return first == std::string::npos ? 1 : static_cast<int>(digits.size() - first);
}

mpq_class recurring(const std::string& digits, size_t decimals, WorkBudget& budget) {
  budget.spend(static_cast<int64_t>(digits.size()));
  mpz_class nines;
  mpz_ui_pow_ui(nines.get_mpz_t(), 10, digits.size());
  mpq_class value(mpz_class(digits, 10), nines - 1);
  value.canonicalize();
  return value * ten_to(-static_cast<long>(decimals));
}

}  // namespace

Node numeral(const std::string& text, const std::string& repeat, WorkBudget& budget) {
  const size_t exponent_at = text.find('e');
  const std::string mantissa = text.substr(0, exponent_at);
  const size_t point = mantissa.find('.');
  std::string digits = mantissa;
  size_t decimals = 0;
  if (point != std::string::npos) {
    digits.erase(point, 1);
    decimals = digits.size() - point;
  }
  if (digits.empty()) digits = "0";
  if (static_cast<int64_t>(digits.size()) * 10 / 3 > WorkBudget::kMostBits)
    throw OverBudget{"too many digits"};
  long exponent = 0;
  if (exponent_at != std::string::npos) {
    const std::string written = text.substr(exponent_at + 1);
    if (written.size() > 6) throw OverBudget{"too large an exponent"};
    exponent = std::strtol(written.c_str(), nullptr, 10);
    if (std::labs(exponent) * 10 / 3 > WorkBudget::kMostBits)
      throw OverBudget{"too large an exponent"};
  }
  budget.spend(static_cast<int64_t>(digits.size()));
  Node node{.kind = NodeKind::kNumber};
  node.value = mpq_class(mpz_class(digits, 10));
  const long shift = exponent - static_cast<long>(decimals);
  if (shift != 0) node.value *= ten_to(shift);
  if (!repeat.empty()) {
    node.value += recurring(repeat, decimals, budget);
  } else if (point != std::string::npos || exponent_at != std::string::npos) {
    node.digits = significant(digits);
    node.decimals = static_cast<int>(-shift);
  }
  return node;
}

}  // namespace covrl::math
