#include "entropy/top_k.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace covrl {

std::vector<int64_t> top_k(const std::vector<double>& values, const std::vector<int64_t>& ids,
                           int64_t k) {
  const auto key = [&values](int64_t index) {
    const double value = values[static_cast<size_t>(index)];
    return std::isnan(value) ? -std::numeric_limits<double>::infinity() : value;
  };
  const auto before = [&](int64_t a, int64_t b) {
    if (key(a) != key(b)) return key(a) > key(b);
    return ids[static_cast<size_t>(a)] < ids[static_cast<size_t>(b)];
  };
  std::vector<int64_t> indices(values.size());
  std::iota(indices.begin(), indices.end(), 0);
  const auto end = indices.begin() + std::min<int64_t>(k, static_cast<int64_t>(indices.size()));
  std::nth_element(indices.begin(), end, indices.end(), before);
  std::sort(indices.begin(), end, before);
  indices.erase(end, indices.end());
  return indices;
}

}  // namespace covrl
