// The best `number` of a stream of candidates, exactly, in one pass: candidates that cannot be
// among them are dropped as the threshold rises.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "kernels/token_ids.h"

namespace covrl::kernels {

// Higher values are better; of equal ones the smaller id.
template <class Value>
class BestOf {
 public:
  BestOf(int64_t number, Value lowest, const TokenIds& ids)
      : number_(static_cast<size_t>(number)),
        capacity_(number_ + std::max<size_t>(number_, 1024)),
        threshold_(lowest),
        ids_(&ids) {}

  // Candidates below it need not be offered.
  Value threshold() const { return threshold_; }

  void offer(Value value, int64_t place) {
    if (number_ == 0 || value < threshold_) return;
    kept_.push_back({value, place});
    if (kept_.size() >= capacity_) prune();
  }

  void offer(const BestOf& other) {
    for (const Candidate& candidate : other.kept_) offer(candidate.value, candidate.place);
  }

  // As yet.
  int64_t size() const { return static_cast<int64_t>(std::min(number_, kept_.size())); }
  // The value of the worst of them; what was lowest at first when they are fewer than `number`.
  Value lowest() {
    prune();
    return threshold_;
  }
  // Their places, the best first.
  std::vector<int64_t> places() {
    prune();
    std::sort(kept_.begin(), kept_.end(), before());
    std::vector<int64_t> places;
    for (const Candidate& candidate : kept_) places.push_back(candidate.place);
    return places;
  }

 private:
  struct Candidate {
    Value value;
    int64_t place;
  };

  auto before() const {
    return [ids = ids_](const Candidate& a, const Candidate& b) {
      return a.value != b.value ? a.value > b.value : ids->precedes(a.place, b.place);
    };
  }

  void prune() {
    if (kept_.size() < number_ || number_ == 0) return;
    const auto last = kept_.begin() + static_cast<std::ptrdiff_t>(number_ - 1);
    std::nth_element(kept_.begin(), last, kept_.end(), before());
    threshold_ = last->value;
    kept_.resize(number_);
  }

  size_t number_, capacity_;
  Value threshold_;
  const TokenIds* ids_;
  std::vector<Candidate> kept_;
};

}  // namespace covrl::kernels
