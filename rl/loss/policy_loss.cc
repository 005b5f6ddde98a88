#include "rl/loss/policy_loss.h"

#include "core/error.h"

namespace covrl {

double PolicyLossConfig::ratio_cap() const { return clip_ratio_c.value_or(traits().default_cap); }

void PolicyLossConfig::describe(config::Visitor& v) {
  const PolicyLossConfig defaults;
  v.word("kind", kind,
         "Policy loss (docs/algorithms.md). clip: PPO's clipped surrogate, as in GRPO and DAPO; "
         "unclipped: without the clip, as KL-Cov is published; gspo, geo_mean and sapo need "
         "loss_agg_mode seq-mean-token-mean; gpg and reinforce need one update per rollout.",
         policy_loss_names());
  v.field("clip_ratio_low", clip_ratio_low,
          "The ratio new/old is clipped below at 1 - clip_ratio_low (cispo: 1 leaves it open). "
          "geo_mean: the log-ratio at -clip_ratio_low; dppo_*: largest divergence for a negative "
          "advantage. Published: gspo 0.0003, geo_mean 0.4.",
          {0, 1});
  v.field("clip_ratio_high", clip_ratio_high,
          "The ratio new/old is clipped above at 1 + clip_ratio_high. geo_mean: the log-ratio at "
          "clip_ratio_high; dppo_*: largest divergence for a positive advantage. Published: gspo "
          "0.0004, geo_mean 0.4.",
          {0, 100});
  v.field("clip_ratio_c", clip_ratio_c,
          "Dual clip: a negative advantage costs at most clip_ratio_c times its size. dppo_*: the "
          "ratio is at most this. 0: off. Absent: 3 for clip, off for unclipped, 20 for dppo_*.",
          {0, 1e6});
  v.field("sapo_tau_pos", sapo_tau_pos,
          "sapo: how sharply a positive advantage's gate closes as the ratio leaves 1.",
          {1e-6, 1e6});
  v.field("sapo_tau_neg", sapo_tau_neg, "sapo: the same for a negative advantage.", {1e-6, 1e6});
  const PolicyLossTraits reads = traits();
  const auto only_read = [&](bool is_read, bool is_default, const char* key) {
    v.check(is_read || is_default, key,
            concat("has no effect with policy_loss.kind ", kind, "; remove the key"));
  };
  only_read(reads.clip_range, clip_ratio_low == defaults.clip_ratio_low, "clip_ratio_low");
  only_read(reads.clip_range, clip_ratio_high == defaults.clip_ratio_high, "clip_ratio_high");
  only_read(reads.ratio_cap, clip_ratio_c == defaults.clip_ratio_c, "clip_ratio_c");
  only_read(reads.gate, sapo_tau_pos == defaults.sapo_tau_pos, "sapo_tau_pos");
  only_read(reads.gate, sapo_tau_neg == defaults.sapo_tau_neg, "sapo_tau_neg");
  const double cap = ratio_cap(), smallest = kind == "clip" ? 1 + clip_ratio_high : 1;
  v.check(!reads.ratio_cap || cap == 0 || cap > smallest, "clip_ratio_c",
          concat("is ", cap, ", inside the range of ratios that ends at ", smallest,
                 "; give a larger value, or 0 to turn it off"));
}

}  // namespace covrl
