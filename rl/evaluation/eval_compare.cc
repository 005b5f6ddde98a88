#include "rl/evaluation/eval_compare.h"

#include <map>
#include <tuple>
#include <utility>

#include "rl/evaluation/eval_statistics.h"

namespace covrl {

namespace {

struct Share {
  std::string gold;
  int64_t usable = 0, correct = 0;
  double value() const { return static_cast<double>(correct) / static_cast<double>(usable); }
};
using Shares = std::map<std::string, Share>;  // by problem
using Sets = std::map<std::pair<std::string, Decoding>, Shares>;

Sets sets_of(const std::vector<EvalRow>& rows) {
  Sets sets;
  for (const EvalRow& row : rows) {
    Share& share = sets[{row.benchmark, row.decoding}][row.id];
    share.gold = row.gold;
    if (!is_usable(row)) continue;
    ++share.usable;
    share.correct += row.verdict.outcome == Outcome::kCorrect;
  }
  return sets;
}

// Fills the statistics from the problems that both have.
void compare_shares(const Shares& a, const Shares& b, Comparison& result) {
  std::vector<double> values_a, values_b, differences;
  for (const auto& [id, share] : a) {
    const auto other = b.find(id);
    if (other == b.end()) {
      result.only_a.push_back(id);
      continue;
    }
    if (share.usable == 0 || other->second.usable == 0) {
      result.unusable.push_back(id);
      continue;
    }
    if (share.gold != other->second.gold) result.other_gold.push_back(id);
    values_a.push_back(share.value());
    values_b.push_back(other->second.value());
    differences.push_back(values_b.back() - values_a.back());
    result.won += differences.back() > 0;
    result.lost += differences.back() < 0;
  }
  for (const auto& [id, share] : b)
    if (!a.contains(id)) result.only_b.push_back(id);
  result.num_problems = std::ssize(differences);
  if (differences.empty()) return;
  result.accuracy_a = mean(values_a);
  result.accuracy_b = mean(values_b);
  result.difference = mean(differences);
  std::tie(result.low, result.high) = bootstrap_interval(differences);
  result.p_value = sign_test(result.won, result.lost);
}

}  // namespace

std::vector<Comparison> compare_evaluations(const std::vector<EvalRow>& a,
                                            const std::vector<EvalRow>& b) {
  std::map<std::pair<std::string, Decoding>, std::pair<Shares, Shares>> both;
  for (auto& [key, shares] : sets_of(a)) both[key].first = shares;
  for (auto& [key, shares] : sets_of(b)) both[key].second = shares;
  std::vector<Comparison> results;
  for (const auto& [key, shares] : both) {
    Comparison& result = results.emplace_back();
    std::tie(result.benchmark, result.decoding) = key;
    compare_shares(shares.first, shares.second, result);
  }
  return results;
}

}  // namespace covrl
