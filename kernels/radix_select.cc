#include "kernels/radix_select.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "kernels/mode.h"

namespace covrl::kernels {
namespace {

// This rank's part of a search.
class Part {
 public:
  explicit Part(const RadixItems& items) : items_(items) {
    for (int64_t place = 0; place < items.count; ++place)
      if (items.mask[place]) agreeing_.push_back(place);
  }

  std::vector<int64_t> histogram(const RadixSearch& search) const {
    std::vector<int64_t> counts(kRadixBins);
    for (const int64_t place : agreeing_) ++counts[bin(search, place)];
    return counts;
  }
  // Those that the next digit rules out are looked at no more.
  void keep_agreeing(const RadixSearch& search) {
    std::erase_if(agreeing_, [&](int64_t place) {
      return !search.agrees(key(place), radix_key_of_id(items_.ids[place]));
    });
  }
  std::vector<int64_t> selected(const RadixSearch& search) const {
    std::vector<int64_t> places;
    for (int64_t place = 0; place < items_.count; ++place)
      if (items_.mask[place] && search.selects(key(place), radix_key_of_id(items_.ids[place])))
        places.push_back(place);
    return places;
  }

 private:
  uint64_t key(int64_t place) const { return radix_key(items_.values[place]); }
  size_t bin(const RadixSearch& search, int64_t place) const {
    return static_cast<size_t>(search.bin(key(place), radix_key_of_id(items_.ids[place])));
  }

  RadixItems items_;
  std::vector<int64_t> agreeing_;
};

void descend(RadixSearch& search, const std::vector<int64_t>& histogram) {
  int64_t wanted = search.wanted;
  for (int bin = kRadixBins - 1; bin >= 0; --bin) {
    const int64_t in_bin = histogram[static_cast<size_t>(bin)];
    if (wanted <= in_bin) return search.descend(bin, wanted, in_bin);
    wanted -= in_bin;
  }
  search.end(/*all=*/true);  // fewer than are wanted
}

void run(RadixSearch& search, Part& part, const HistogramSum& sum) {
  while (!search.done()) {
    std::vector<int64_t> histogram = part.histogram(search);
    if (sum) sum(histogram);
    descend(search, histogram);
    part.keep_agreeing(search);
  }
}

// The oracle: places inside the mask, the largest number first.
std::vector<int64_t> sorted_places(const RadixItems& items) {
  std::vector<int64_t> places;
  for (int64_t place = 0; place < items.count; ++place)
    if (items.mask[place]) places.push_back(place);
  std::sort(places.begin(), places.end(), [&items](int64_t a, int64_t b) {
    const double x = items.values[a], y = items.values[b];
    if (std::isnan(x) != std::isnan(y)) return std::isnan(y);
    return x == y || std::isnan(x) ? items.ids[a] < items.ids[b] : x > y;
  });
  return places;
}

bool uses_oracle(const HistogramSum& sum) { return mode() == Mode::kReference && !sum; }

}  // namespace

std::vector<int64_t> radix_select(const RadixItems& items, int64_t number,
                                  const HistogramSum& sum) {
  COVRL_CHECK(number >= 0, "select ", number, " numbers");
  if (number == 0) return {};
  if (uses_oracle(sum)) {
    std::vector<int64_t> places = sorted_places(items);
    if (number < std::ssize(places)) places.resize(static_cast<size_t>(number));
    std::sort(places.begin(), places.end());
    return places;
  }
  RadixSearch search;
  search.wanted = number;
  Part part(items);
  run(search, part, sum);
  return part.selected(search);
}

double order_statistic(const RadixItems& items, int64_t above, const HistogramSum& sum) {
  if (uses_oracle(sum)) return items.values[sorted_places(items).at(static_cast<size_t>(above))];
  RadixSearch search;
  search.wanted = above + 1;
  search.whole_key = true;
  Part part(items);
  run(search, part, sum);
  return value_of_radix_key(search.key);
}

}  // namespace covrl::kernels
