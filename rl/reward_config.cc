#include "rl/reward_config.h"

#include <algorithm>

#include "core/error.h"
#include "verifiers/verifier.h"

namespace covrl {

void VerifierConfig::describe(config::Visitor& v) {
  v.words("name", name,
          "Verifier that scores completions (docs/rewards.md). Several: the reward is the weighted "
          "sum of their scores (reward.weights); the first is the one that accuracies are about.",
          verifier_names());
  for (size_t i = 1; i < name.size(); ++i)
    v.check(std::find(name.begin(), name.begin() + static_cast<int64_t>(i), name[i]) ==
                name.begin() + static_cast<int64_t>(i),
            "name", concat(name[i], " is given twice; name each verifier once"));
  options.describe(v);
}

void VerifierSection::describe(config::Visitor& v) {
  v.field("num_threads", num_threads, "Threads that verify, per process.", {1, 1024});
  VerifierConfig::describe(v);
}

void WeightsConfig::describe(config::Visitor& v) {
  v.field("weights", weights,
          "Weight of each verifier.name, in its order; []: 1 each. A verifier of weight 0 is "
          "watched only.",
          {-1e6, 1e6});
  v.check(weights.empty() || weights[0] != 0, "weights",
          "begins with 0, so that the main verifier would not count; put another verifier first");
}

void AuditConfig::describe(config::Visitor& v) {
  std::vector<std::string> words = verifier_names();
  words.insert(words.begin(), "none");
  v.word("verifier", verifier, "Second verifier that re-checks verdicts; none: no audit.", words);
  v.fraction("share", share, "Share of the training verdicts that are re-checked.", {1e-6, 1});
  v.check(enabled() || *this == AuditConfig(), "share",
          "has no effect with verifier none; choose a verifier, or remove the key");
}

void RewardSection::describe(config::Visitor& v) {
  WeightsConfig::describe(v);
  v.fraction("max_failed_share", max_failed_share,
             "Share of a step's completions whose sampling or verification may fail; above it the "
             "run stops before it learns from the step.");
  v.section("audit", audit, "A second look at some verdicts; it changes nothing in training.");
}

void check_verifiers(config::Visitor& v, const VerifierConfig& verifier,
                     const WeightsConfig& reward, const AuditConfig& audit,
                     const std::vector<std::string>& others) {
  const size_t num_names = verifier.name.size(), num_weights = reward.weights.size();
  v.check(num_weights == 0 || num_weights == num_names, "reward.weights",
          concat("has ", num_weights, " weights for ", num_names,
                 " verifiers (verifier.name); give one for each, or none"));
  v.check(audit.verifier != verifier.name[0], "reward.audit.verifier",
          concat("is ", audit.verifier, ", which is the verifier itself; choose another one"));
  std::vector<std::string> used = verifier.name;
  used.insert(used.end(), others.begin(), others.end());
  if (audit.enabled()) used.push_back(audit.verifier);
  verifier.options.check_used(v, used);
}

}  // namespace covrl
