// The k largest of many numbers without sorting them, wherever they are: digit by digit, from a
// histogram of the next digit of those that agree with the digits found so far. Histograms are sums
// of integers, so they can be added over threads, blocks or ranks in any order; 6 of 2,048 counts
// find a number, 6 more find the id among equal numbers.
//
// A number is ordered by a 64-bit key, an id by another, larger for the smaller id: the k largest
// pairs (key, id key) are the k largest numbers, equal ones by the smaller id.
//
// In reference mode a sort takes the place of the search, where one rank has all numbers.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "kernels/radix_search.h"

namespace covrl::kernels {

// Numbers of this rank. Those outside the mask are not among them.
struct RadixItems {
  const double* values = nullptr;
  const bool* mask = nullptr;
  const int64_t* ids = nullptr;  // unique over all ranks
  int64_t count = 0;
};

// Replaces a histogram by its sum over the ranks. Collective: all ranks call alike.
using HistogramSum = std::function<void(std::span<int64_t>)>;

// Places of this rank's part of the `number` largest over all ranks, ascending. NaN comes after
// every number. All of them when there are fewer.
std::vector<int64_t> radix_select(const RadixItems& items, int64_t number,
                                  const HistogramSum& sum = {});

// The number that `above` others precede in falling order over all ranks: 0 is the largest. There
// must be more than `above`.
double order_statistic(const RadixItems& items, int64_t above, const HistogramSum& sum = {});

}  // namespace covrl::kernels
