#include "entropy/control_config.h"

#include <algorithm>

#include "core/error.h"
#include "entropy/control.h"

namespace covrl {
namespace {

constexpr double kLargeRatio = 0.05;  // above it a ratio is more likely a percentage

}  // namespace

bool EntropyControlConfig::has(const std::string& control) const {
  return std::find(kind.begin(), kind.end(), control) != kind.end();
}

bool EntropyControlConfig::selects() const {
  const std::vector<std::string> known = entropy_control_names();
  return std::any_of(kind.begin(), kind.end(), [&](const std::string& name) {
    return std::find(known.begin(), known.end(), name) != known.end() &&
           make_entropy_control(name, *this)->selects();
  });
}

void EntropyControlConfig::describe(config::Visitor& v) {
  v.words("kind", kind, "What keeps the policy exploring; several are applied in the order given.",
          entropy_control_names());
  v.word("score", score,
         "Log-probs that tokens are selected by. current: the policy's being updated, at the cost "
         "of a pass without gradient in every update after the first; old: the behaviour's.",
         {"current", "old"});
  v.word("scope", scope,
         "Tokens that a selection is made among. mini: the whole optimizer mini-batch over all "
         "ranks; micro: each micro-batch, as the reference implementations do.",
         {"mini", "micro"});
  describe_covariance_controls(v);
  describe_bonuses(v);
  v.fraction("top_entropy_ratio", top_entropy_ratio,
             "top_entropy: share of tokens, those of largest entropy, that the policy loss learns "
             "from.",
             {1e-9, 1});
  v.field("rescore", rescore,
          "After the updates of a step, one more pass over its batch without gradient: the change "
          "of entropy in the states that were sampled, and its first-order value "
          "(entropy_ctrl/delta_same_states, delta_first_order).");
  v.section("set_point", set_point, "Holds the entropy in a band (clip_cov, kl_cov).");
  check_combination(v);
  check_inert(v);
}

void EntropyControlConfig::describe_covariance_controls(config::Visitor& v) {
  v.fraction("clip_cov_ratio", clip_cov_ratio,
             "clip_cov: share of tokens that learn nothing, at least one.", {1e-9, 1});
  v.field("clip_cov_lb", clip_cov_lb, "clip_cov: candidates have a covariance above this.",
          {-1e6, 1e6});
  v.field("clip_cov_ub", clip_cov_ub, "clip_cov: candidates have a covariance below this.",
          {-1e6, 1e6});
  v.fraction("kl_cov_ratio", kl_cov_ratio,
             "kl_cov: share of tokens, those of largest covariance, that are held back, at least "
             "one.",
             {1e-9, 1});
  v.field("ppo_kl_coef", ppo_kl_coef, "kl_cov: weight of the selected tokens' penalty.", {0, 1e3});
  v.word("kl_cov_penalty", kl_cov_penalty,
         "kl_cov: penalty in d = log-prob - old log-prob. abs: |d|; k1: d; k2: d^2/2; k3: "
         "exp(-d)+d-1.",
         {"abs", "k1", "k2", "k3"});
  v.field("kl_cov_with_clip", kl_cov_with_clip,
          "kl_cov: allow policy_loss.kind clip; the paper's loss is unclipped.");
  v.field("force_ratio", force_ratio,
          "Allow clip_cov_ratio and kl_cov_ratio above 0.05: they are fractions, not percentages.");
}

void EntropyControlConfig::describe_bonuses(config::Visitor& v) {
  v.field("entropy_coeff", entropy_coeff,
          "bonus: loss -= entropy_coeff * token entropy (nats); negative values make the policy "
          "more certain. adaptive_bonus: the coefficient to start from.",
          {-1, 1});
  v.field("target_entropy", target_entropy,
          "adaptive_bonus: token-mean entropy (nats) that the coefficient moves towards.",
          {0, 100});
  v.field("adaptive_coeff_step", adaptive_coeff_step,
          "adaptive_bonus: change of the coefficient per rollout step.", {0, 1});
  v.field("adaptive_coeff_min", adaptive_coeff_min, "adaptive_bonus: least coefficient.", {0, 1});
  v.field("adaptive_coeff_max", adaptive_coeff_max, "adaptive_bonus: largest coefficient.", {0, 1});
}

void EntropyControlConfig::check_combination(config::Visitor& v) const {
  v.check(kind.size() < 2 || !has("none"), "kind", "none stands alone; remove it or the others");
  for (size_t i = 1; i < kind.size(); ++i)
    v.check(std::find(kind.begin(), kind.begin() + static_cast<int64_t>(i), kind[i]) ==
                kind.begin() + static_cast<int64_t>(i),
            "kind", concat(kind[i], " is given twice; name each control once"));
  v.check(!has("clip_cov") || !has("kl_cov"), "kind",
          "clip_cov and kl_cov act on the same tokens in different ways; choose one");
  v.check(!has("bonus") || !has("adaptive_bonus"), "kind",
          "bonus and adaptive_bonus are the same term; choose one");
  // What drops a token's term would drop what was added to it before.
  const auto added = std::find_if(kind.begin(), kind.end(), [](const std::string& name) {
    return name == "bonus" || name == "adaptive_bonus" || name == "kl_cov";
  });
  for (const char* drops : {"clip_cov", "top_entropy"})
    v.check(std::find(added, kind.end(), drops) == kind.end(), "kind",
            concat(drops, " would drop what the controls before it add to the loss; name ", drops,
                   " first"));
  v.check(clip_cov_lb < clip_cov_ub, "clip_cov_ub", "must be above clip_cov_lb");
  for (const auto& [key, ratio] : {std::pair<const char*, double>{"clip_cov_ratio", clip_cov_ratio},
                                   {"kl_cov_ratio", kl_cov_ratio}})
    v.check(ratio <= kLargeRatio || force_ratio, key,
            concat("is ", ratio,
                   ", more than 5 % of the tokens; a fraction is wanted (0.0002, or "
                   "0.02%). Set force_ratio: true if it is meant"));
  v.check(adaptive_coeff_min <= adaptive_coeff_max, "adaptive_coeff_max",
          "must not be below adaptive_coeff_min");
  v.check(!has("adaptive_bonus") || target_entropy > 0, "target_entropy",
          "is 0; adaptive_bonus needs the entropy to hold (nats)");
  v.check(!has("adaptive_bonus") ||
              (adaptive_coeff_min <= entropy_coeff && entropy_coeff <= adaptive_coeff_max),
          "entropy_coeff", "must lie between adaptive_coeff_min and adaptive_coeff_max");
  v.check(!has("bonus") || entropy_coeff != 0, "entropy_coeff",
          "is 0, so that the bonus has no effect; give a coefficient (0.001 in the 1-shot paper), "
          "or set kind: none");
}

void EntropyControlConfig::check_inert(config::Visitor& v) const {
  const EntropyControlConfig defaults;
  const auto only_with = [&](bool chosen, bool is_default, const char* key, const char* wanted) {
    v.check(chosen || is_default, key,
            concat("has no effect without kind ", wanted, "; choose that kind, or remove the key"));
  };
#define COVRL_ONLY_WITH(CHOSEN, KEY, WANTED) only_with(CHOSEN, KEY == defaults.KEY, #KEY, WANTED)
  COVRL_ONLY_WITH(has("clip_cov"), clip_cov_ratio, "clip_cov");
  COVRL_ONLY_WITH(has("clip_cov"), clip_cov_lb, "clip_cov");
  COVRL_ONLY_WITH(has("clip_cov"), clip_cov_ub, "clip_cov");
  COVRL_ONLY_WITH(has("kl_cov"), kl_cov_ratio, "kl_cov");
  COVRL_ONLY_WITH(has("kl_cov"), ppo_kl_coef, "kl_cov");
  COVRL_ONLY_WITH(has("kl_cov"), kl_cov_penalty, "kl_cov");
  COVRL_ONLY_WITH(has("kl_cov"), kl_cov_with_clip, "kl_cov");
  COVRL_ONLY_WITH(has_covariance_control(), force_ratio, "clip_cov or kl_cov");
  COVRL_ONLY_WITH(has_covariance_control(), set_point, "clip_cov or kl_cov");
  COVRL_ONLY_WITH(has("bonus") || has("adaptive_bonus"), entropy_coeff, "bonus or adaptive_bonus");
  COVRL_ONLY_WITH(has("adaptive_bonus"), target_entropy, "adaptive_bonus");
  COVRL_ONLY_WITH(has("adaptive_bonus"), adaptive_coeff_step, "adaptive_bonus");
  COVRL_ONLY_WITH(has("adaptive_bonus"), adaptive_coeff_min, "adaptive_bonus");
  COVRL_ONLY_WITH(has("adaptive_bonus"), adaptive_coeff_max, "adaptive_bonus");
  COVRL_ONLY_WITH(has("top_entropy"), top_entropy_ratio, "top_entropy");
  const bool selecting = score == defaults.score && scope == defaults.scope ? true : selects();
  COVRL_ONLY_WITH(selecting, score, "clip_cov, kl_cov or top_entropy");
  COVRL_ONLY_WITH(selecting, scope, "clip_cov, kl_cov or top_entropy");
#undef COVRL_ONLY_WITH
}

}  // namespace covrl
