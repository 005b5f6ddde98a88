#include "rl/kl_controller.h"

#include <algorithm>

#include "core/error.h"

namespace covrl {
namespace {

constexpr double kLargestError = 0.2;

}  // namespace

void KlControllerConfig::describe(config::Visitor& v) {
  v.word("type", type, "fixed, or adaptive: moved so that the KL comes to target_kl.",
         {"fixed", "adaptive"});
  v.field("kl_coef", kl_coef, "Weight of the KL; of adaptive, at the start.", {1e-12, 1e3});
  v.field("target_kl", target_kl, "Wanted KL, nats a token; of adaptive.", {1e-9, 1e3});
  v.field("horizon", horizon,
          "Completions in which the coefficient changes by at most 20 %; of adaptive.", {1, 1e12});
  const KlControllerConfig defaults;
  v.check(type == "adaptive" || target_kl == defaults.target_kl, "target_kl",
          "has no effect with type fixed; choose type adaptive, or remove the key");
  v.check(type == "adaptive" || horizon == defaults.horizon, "horizon",
          "has no effect with type fixed; choose type adaptive, or remove the key");
}

KlController::KlController(const KlControllerConfig& config)
    : config_(config), value_(config.kl_coef) {}

void KlController::update(double kl, double num_completions) {
  if (config_.type != "adaptive") return;
  const double error = std::clamp(kl / config_.target_kl - 1, -kLargestError, kLargestError);
  // Not below 0, should a step have more completions than the horizon times five.
  value_ *= std::max(0.0, 1 + error * num_completions / config_.horizon);
}

}  // namespace covrl
