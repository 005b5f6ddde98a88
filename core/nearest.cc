// Edit distance with transpositions (optimal string alignment), for "did you mean".
#include <algorithm>
#include <cctype>

#include "core/cli.h"

namespace covrl::cli {
namespace {

// Case and the choice between - and _ are not differences worth counting.
std::string normalized(const std::string& word) {
  std::string text;
  for (const char c : word)
    text += c == '-' ? '_' : static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

size_t edit_distance(const std::string& a, const std::string& b) {
  std::vector<std::vector<size_t>> cost(a.size() + 1, std::vector<size_t>(b.size() + 1));
  for (size_t i = 0; i <= a.size(); ++i) cost[i][0] = i;
  for (size_t j = 0; j <= b.size(); ++j) cost[0][j] = j;
  for (size_t i = 1; i <= a.size(); ++i)
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t substitution = cost[i - 1][j - 1] + (a[i - 1] != b[j - 1]);
      cost[i][j] = std::min({cost[i - 1][j] + 1, cost[i][j - 1] + 1, substitution});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        cost[i][j] = std::min(cost[i][j], cost[i - 2][j - 2] + 1);
    }
  return cost[a.size()][b.size()];
}

}  // namespace

std::string nearest(const std::string& word, const std::vector<std::string>& candidates) {
  constexpr size_t kLongestWord = 200;  // no typo is this long; bounds the quadratic cost
  if (word.size() > kLongestWord) return "";
  const std::string wanted = normalized(word);
  std::string best;
  // Farther is not a typo, and of a single letter every other would be one.
  size_t best_distance = std::min(std::max<size_t>(1, wanted.size() / 3) + 1, wanted.size());
  for (const std::string& candidate : candidates) {
    const size_t distance = edit_distance(wanted, normalized(candidate));
    if (distance < best_distance) {
      best_distance = distance;
      best = candidate;
    }
  }
  return best;
}

}  // namespace covrl::cli
