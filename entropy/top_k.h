// The k largest of many values, exactly, with ties that do not depend on order.
#pragma once

#include <cstdint>
#include <vector>

namespace covrl {

// Indices of the k largest values, largest first; equal values by the smaller id. NaN comes after
// every number. All indices when there are fewer than k.
std::vector<int64_t> top_k(const std::vector<double>& values, const std::vector<int64_t>& ids,
                           int64_t k);

}  // namespace covrl
