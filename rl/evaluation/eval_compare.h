// Two evaluations of the same problems, compared problem by problem: what the problems have in
// common (some are hard for both) does not blur the difference.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "rl/evaluation/eval_rows.h"

namespace covrl {

// Of one benchmark, greedy or sampled; a and b are the two evaluations, and b is the one that wins
// or loses.
struct Comparison {
  std::string benchmark;
  Decoding decoding = Decoding::kSampled;
  int64_t num_problems = 0;                 // in both, with responses that count
  double accuracy_a = 0, accuracy_b = 0;    // mean over those problems of the share right
  double difference = 0;                    // b - a
  double low = 0, high = 0;                 // its 95 % bootstrap interval over problems
  int64_t won = 0, lost = 0;                // problems where b has the larger, the smaller share
  double p_value = 1;                       // sign test of won against lost, two-sided and exact
  std::vector<std::string> only_a, only_b;  // ids of problems that one of them does not have
  std::vector<std::string> unusable;        // no response that counts in one of them
  std::vector<std::string> other_gold;      // compared although the gold answers differ
};

// Every benchmark and decoding that one of them has, by name; with no problem in common
// num_problems is 0 and the rest without meaning. Each of `a` and `b` is one evaluation: a step, a
// checkpoint.
std::vector<Comparison> compare_evaluations(const std::vector<EvalRow>& a,
                                            const std::vector<EvalRow>& b);

}  // namespace covrl
