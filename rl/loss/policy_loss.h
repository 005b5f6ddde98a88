// Policy losses return per-token terms; reduction and entropy shaping live elsewhere (loss = terms
// x shaping x reduction).
//
// A new loss is one file here and one line in table.cc.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/config.h"
#include "kernels/policy_loss_terms.h"

namespace covrl {

// log-ratio d = logprob - old_logprob; what is exponentiated is bounded in every loss.
struct LossInput {
  at::Tensor logprob_T;      // current policy, with gradient
  at::Tensor old_logprob_T;  // at the start of the step, constant
  at::Tensor advantage_T;    // constant
  at::Tensor mask_T;         // bool; terms outside are never read
  std::vector<int64_t> offsets =
      {};  // [N+1] of the sequences among the tokens, for losses of whole sequences
};

struct LossTerms {
  at::Tensor loss_T;          // with gradient; arbitrary outside the mask
  at::Tensor clipped_T;       // bool: the clip acts (pg_clipfrac)
  at::Tensor dual_clipped_T;  // bool: the dual clip acts (pg_clipfrac_lower)
};

// What a kind is made of: which keys it reads, and what it asks of the rest of the run.
struct PolicyLossTraits {
  bool clip_range = false;   // reads clip_ratio_low and clip_ratio_high
  bool ratio_cap = false;    // reads clip_ratio_c
  double default_cap = 0;    // clip_ratio_c where none is given; 0: none
  bool gate = false;         // reads sapo_tau_pos and sapo_tau_neg
  bool of_sequence = false;  // a mean over sequences: loss_agg_mode is seq-mean-token-mean
  bool on_policy = false;    // has no ratio: right for the policy that sampled, and for no other
};

struct PolicyLossConfig {
  std::string kind = "clip";
  double clip_ratio_low = 0.2;
  double clip_ratio_high = 0.2;
  std::optional<double> clip_ratio_c = {};  // absent: the kind's own
  double sapo_tau_pos = 1.0;
  double sapo_tau_neg = 1.05;
  void describe(config::Visitor& v);
  bool operator==(const PolicyLossConfig&) const = default;

  PolicyLossTraits traits() const;  // of the kind; throws when it is not known
  double ratio_cap() const;         // clip_ratio_c as it acts; 0: none
};

class PolicyLoss {
 public:
  virtual ~PolicyLoss() = default;
  virtual LossTerms terms(const LossInput& input) const = 0;
  // Factor of each token's term for the off-policy weights [T] of rl/rollout_correction.h.
  virtual at::Tensor weight(const LossInput&, const at::Tensor& rollout_weight_T) const {
    return rollout_weight_T;
  }
  // Writes terms() down as kernels/token_policy_loss.h computes them; false: it has no such form.
  virtual bool fuse(kernels::PolicyLossTerms&) const { return false; }
};

std::vector<std::string> policy_loss_names();
std::unique_ptr<PolicyLoss> make_policy_loss(const PolicyLossConfig& config);

}  // namespace covrl
