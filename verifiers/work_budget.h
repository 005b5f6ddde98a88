// How much one verification may do. Work is counted, never timed: the same input has the same fate
// on every machine.
#pragma once

#include <cstdint>

namespace covrl {

// Thrown when a bound is passed. The verdict is then Outcome::kFailed when the gold alone passes it
// too; else the answer is at fault and scores nothing.
struct OverBudget {
  const char* what;
  bool in_reading = false;  // nested too deeply to be read
};

class WorkBudget {
 public:
  static constexpr int64_t kSteps = 400'000;       // about 5 ms
  static constexpr int kMostAnswerBytes = 16'000;  // of one answer
  static constexpr int kMostDepth = 100;           // of brackets, braces, powers
  static constexpr int64_t kMostBits = 160'000;    // of one integer
  static constexpr int kMostTerms = 600;           // of one polynomial

  // One step is about 10 ns.
  void spend(int64_t steps) {
    left_ -= steps;
    if (left_ < 0) throw OverBudget{"too much work"};
  }
  int64_t spent() const { return kSteps - left_; }

 private:
  int64_t left_ = kSteps;
};

}  // namespace covrl
