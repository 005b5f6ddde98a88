// Policy losses return per-token terms; reduction and entropy shaping live elsewhere (loss = terms
// x shaping x reduction).
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/config.h"

namespace covrl {

// log-ratio d = logprob - old_logprob is bounded to +-20 before exp in every loss.
struct LossInput {
  at::Tensor logprob_T;      // current policy, with gradient
  at::Tensor old_logprob_T;  // at the start of the step, constant
  at::Tensor advantage_T;    // constant
  at::Tensor mask_T;         // bool; terms outside are never read
  std::vector<int64_t> offsets =
      {};  // [N+1] of the sequences among the tokens, for sequence ratios
};

struct LossTerms {
  at::Tensor loss_T;          // with gradient; arbitrary outside the mask
  at::Tensor clipped_T;       // bool: the clipped branch is active (pg_clipfrac)
  at::Tensor dual_clipped_T;  // bool: the dual clip is active (pg_clipfrac_lower)
};

struct PolicyLossConfig {
  std::string kind = "clip";
  double clip_ratio_low = 0.2;
  double clip_ratio_high = 0.2;
  double clip_ratio_c = 3.0;  // dual clip bound for negative advantages (arXiv 1912.09729); 0: off
  void describe(config::Visitor& v);
  bool operator==(const PolicyLossConfig&) const = default;
};

class PolicyLoss {
 public:
  virtual ~PolicyLoss() = default;
  virtual LossTerms terms(const LossInput& input) const = 0;
  // Factor of each token's term for the off-policy weights [T] of rl/rollout_correction.h.
  virtual at::Tensor weight(const LossInput&, const at::Tensor& rollout_weight_T) const {
    return rollout_weight_T;
  }
};

std::vector<std::string> policy_loss_names();
std::unique_ptr<PolicyLoss> make_policy_loss(const PolicyLossConfig& config);

}  // namespace covrl
