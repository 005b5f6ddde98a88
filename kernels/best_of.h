// The best `number` of a stream of candidates, exactly, in one pass: candidates that cannot be
// among them are dropped as the threshold rises.
#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

namespace covrl::kernels {

// Higher values are better; of equal ones the smaller id.
template <class Value>
struct Candidate {
  Value value;
  int64_t id;
  int64_t place;  // index of the token

  bool operator<(const Candidate& other) const {  // better than
    return value != other.value ? value > other.value : id < other.id;
  }
};

template <class Value>
class BestOf {
 public:
  BestOf(int64_t number, Value lowest)
      : number_(static_cast<size_t>(number)),
        capacity_(number_ + std::max<size_t>(number_, 1024)),
        threshold_(lowest) {}

  // Candidates below it need not be offered.
  Value threshold() const { return threshold_; }

  void offer(const Candidate<Value>& candidate) {
    if (number_ == 0 || candidate.value < threshold_) return;
    kept_.push_back(candidate);
    if (kept_.size() >= capacity_) prune();
  }

  void offer(const BestOf& other) {
    for (const Candidate<Value>& candidate : other.kept_) offer(candidate);
  }

  // In no particular order.
  std::vector<Candidate<Value>> take() {
    prune();
    return std::move(kept_);
  }

 private:
  void prune() {
    if (kept_.size() < number_ || number_ == 0) return;
    const auto last = kept_.begin() + static_cast<std::ptrdiff_t>(number_ - 1);
    std::nth_element(kept_.begin(), last, kept_.end());
    threshold_ = last->value;
    kept_.resize(number_);
  }

  size_t number_, capacity_;
  Value threshold_;
  std::vector<Candidate<Value>> kept_;
};

}  // namespace covrl::kernels
