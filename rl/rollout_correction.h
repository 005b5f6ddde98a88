// Correction for a sampler that is not quite the learner's policy: importance weights and rejection
// from the gap between the log-probs of sampling and those of scoring,
//   L_t = old_logprob_t - behaviour_logprob_t,
// as verl's rollout correction has them; both at the sampling temperature, whatever
// actor.logprob_temperature. Every exponent is bounded to +-20.
//
// Here the two agree bit for bit in float32, so that L is 0 and nothing happens. They differ when
// the weights are bfloat16, or when the sampler's are older than the learner's. top_k and top_p are
// not seen: the sampler records the log-prob without its filter.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/config.h"
#include "core/metrics.h"
#include "rl/batch.h"

namespace covrl {

struct RolloutCorrectionConfig {
  std::string rollout_is = "none";  // "none", "token", "sequence"
  double rollout_is_threshold = 2.0;
  double rollout_is_threshold_low = 0.0;
  bool rollout_is_batch_normalize = false;
  std::vector<std::string> rollout_rs;            // names of rejection_names()
  std::vector<std::string> rollout_rs_threshold;  // one of each: "0.5_2.0", "0.01"
  bool bypass_mode = false;
  void describe(config::Visitor& v);

 private:
  void check_rejections(config::Visitor& v) const;
};

// A packed batch's log-probs in double; what lies outside the mask is never read.
struct RolloutMismatch {
  std::vector<int64_t> cu_seqlens;  // [N+1]
  std::vector<uint8_t> mask;        // [T]
  std::vector<double> old_logprob;  // [T]
  std::vector<double> behaviour_logprob;

  size_t num_sequences() const { return cu_seqlens.empty() ? 0 : cu_seqlens.size() - 1; }
  // Entries of sequence n inside the mask.
  std::vector<size_t> entries(size_t n) const;
  double log_ratio(size_t entry) const { return old_logprob[entry] - behaviour_logprob[entry]; }
};

// token: w_t = exp(L_t); sequence: exp(sum L) for each of its tokens. Above rollout_is_threshold w
// is cut to it (truncated importance sampling) or, with rollout_is_threshold_low > 0, w outside
// [low, threshold] becomes 0 (IcePop). rollout_is_batch_normalize divides by the mean over tokens,
// or over sequences. [T], 0 outside the mask. Metrics rollout_corr/rollout_is_{mean, max, min, std,
// eff_sample_size}: mean, max and min before the cut; std and the share of effective samples of the
// weights cut to [1/threshold, threshold] (IcePop: as they are).
std::vector<double> importance_weights(const RolloutCorrectionConfig& config,
                                       const RolloutMismatch& mismatch, Metrics& metrics);

// Which tokens stay [T]. Each entry of rollout_rs takes tokens out (token_*) or whole sequences
// (seq_sum_*, seq_mean_*, seq_max_*) whose statistic is out of bounds: k1 = -L within [ln low, ln
// high] (so that low_high bounds sampler / learner, as verl has it; one number h: 1/h_h), k2 =
// L^2/2 and k3 = e^L - 1 - L at most the one number. Metrics
// rollout_corr/rollout_rs_{masked_fraction, seq_masked_fraction}.
std::vector<std::string> rejection_names();
std::vector<uint8_t> accepted_tokens(const RolloutCorrectionConfig& config,
                                     const RolloutMismatch& mismatch, Metrics& metrics);

// rollout_corr/{kl, k3_kl, chi2_token} over tokens; {training_ppl, rollout_ppl, log_ppl_diff,
// log_ppl_abs_diff, chi2_seq} over sequences with tokens.
void add_mismatch_metrics(const RolloutMismatch& mismatch, Metrics& metrics);

// After Learner::score. Always adds the mismatch metrics; fills batch.rollout_weight_T with
// rollout_is; takes rejected tokens out of batch.loss_mask_T (the weights are of the batch before
// that); with bypass_mode the behaviour's log-probs become batch.old_logprob_T.
void correct_rollout(const RolloutCorrectionConfig& config, Batch& batch, Metrics& metrics);

}  // namespace covrl
