// Advantage estimators: from the rewards of a whole rollout batch to one advantage per token.
// docs/algorithms.md has the formulas.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/config.h"

namespace covrl {

// The whole rollout batch, packed: sequence n has the entries cu_seqlens[n] .. cu_seqlens[n+1]-1 of
// every [T] vector. What lies outside the mask is never read.
struct AdvantageInput {
  std::vector<int64_t> cu_seqlens;  // [N+1]
  std::vector<int64_t> group;       // [N] sequences of the same prompt share the number
  std::vector<uint8_t> mask_T;      // tokens that count; a sequence without any takes no part
  std::vector<double> reward_T;     // a reward of the outcome sits on the last token
  std::vector<double> baseline;     // [N] score of the prompt's greedy completion, or empty
  std::vector<double> value_T;      // of the critic, or empty

  size_t num_sequences() const { return group.size(); }
};

// Both [T], 0 outside the mask.
struct AdvantageEstimate {
  std::vector<double> advantage_T;
  std::vector<double> return_T;  // what a critic learns
};

struct AdvantageConfig {
  std::string adv_estimator = "grpo";   // table.cc
  double gamma = 1;                     // discount of a token's return
  double lam = 1;                       // of gae
  bool norm_adv_by_std_in_grpo = true;  // of grpo_passk
  void describe(config::Visitor& v);
};

class AdvantageEstimator {
 public:
  virtual ~AdvantageEstimator() = default;
  virtual AdvantageEstimate estimate(const AdvantageInput& input) const = 0;
  // True when it reads AdvantageInput::baseline.
  virtual bool needs_baseline() const { return false; }
};

// Error(kUsage) with the nearest and all names.
std::vector<std::string> advantage_names();
std::unique_ptr<AdvantageEstimator> make_advantage(const AdvantageConfig& config);

}  // namespace covrl
