// The verdict of `judge()`, with the time it took.
#pragma once

#include <chrono>

#include "verifiers/verifier.h"

namespace covrl {

template <class Judge>
Verdict timed(const Judge& judge) {
  const auto start = std::chrono::steady_clock::now();
  Verdict verdict = judge();
  verdict.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return verdict;
}

}  // namespace covrl
