// Who scores completions, and what the verdicts become: the sections verifier and reward.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/config.h"
#include "verifiers/options.h"

namespace covrl {

struct VerifierConfig {
  std::vector<std::string> name = {"math"};  // the first is the main one
  VerifierOptions options;
  void describe(config::Visitor& v);
};

struct VerifierSection : VerifierConfig {
  int64_t num_threads = 2;
  void describe(config::Visitor& v);
};

struct WeightsConfig {
  std::vector<double> weights;  // one for each name; none: 1 each
  void describe(config::Visitor& v);
};

// A share of the verdicts, re-checked (rollout/audit.h).
struct AuditConfig {
  std::string verifier = "none";
  double share = 0.05;
  bool operator==(const AuditConfig&) const = default;
  void describe(config::Visitor& v);
  bool enabled() const { return verifier != "none"; }
};

struct RewardSection : WeightsConfig {
  double max_failed_share = 0.5;
  AuditConfig audit;
  void describe(config::Visitor& v);
};

// Rules between the two sections, described at the root of v: weights for the names, and no key of
// a verifier that nobody uses, `others` included.
void check_verifiers(config::Visitor& v, const VerifierConfig& verifier,
                     const WeightsConfig& reward, const AuditConfig& audit = {},
                     const std::vector<std::string>& others = {});

}  // namespace covrl
