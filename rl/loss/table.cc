#include "core/error.h"
#include "rl/loss/policy_loss.h"

// One line a loss: NAME is made by make_NAME_loss(config), defined in NAME.cc; then its traits.
#define COVRL_POLICY_LOSSES(ROW)                                         \
  ROW(clip, .clip_range = true, .ratio_cap = true, .default_cap = 3)     \
  ROW(unclipped, .ratio_cap = true)                                      \
  ROW(gspo, .clip_range = true, .of_sequence = true)                     \
  ROW(geo_mean, .clip_range = true, .of_sequence = true)                 \
  ROW(sapo, .gate = true, .of_sequence = true)                           \
  ROW(cispo, .clip_range = true)                                         \
  ROW(gpg, .on_policy = true)                                            \
  ROW(reinforce, .on_policy = true)                                      \
  ROW(dppo_tv, .clip_range = true, .ratio_cap = true, .default_cap = 20) \
  ROW(dppo_kl, .clip_range = true, .ratio_cap = true, .default_cap = 20)

namespace covrl {

#define COVRL_DECLARE(NAME, ...) \
  std::unique_ptr<PolicyLoss> make_##NAME##_loss(const PolicyLossConfig& config);
COVRL_POLICY_LOSSES(COVRL_DECLARE)
#undef COVRL_DECLARE

namespace {

struct Row {
  const char* name;
  std::unique_ptr<PolicyLoss> (*make)(const PolicyLossConfig& config);
  PolicyLossTraits traits;
};
#define COVRL_ROW(NAME, ...) {#NAME, make_##NAME##_loss, {__VA_ARGS__}},
constexpr Row kTable[] = {COVRL_POLICY_LOSSES(COVRL_ROW)};
#undef COVRL_ROW

const Row& find(const std::string& kind) {
  for (const Row& row : kTable)
    if (kind == row.name) return row;
  throw_usage("policy loss '", kind, "' is not known (policy_loss.kind)");
}

}  // namespace

std::vector<std::string> policy_loss_names() {
  std::vector<std::string> names;
  for (const Row& row : kTable) names.emplace_back(row.name);
  return names;
}

PolicyLossTraits PolicyLossConfig::traits() const { return find(kind).traits; }

std::unique_ptr<PolicyLoss> make_policy_loss(const PolicyLossConfig& config) {
  return find(config.kind).make(config);
}

}  // namespace covrl
