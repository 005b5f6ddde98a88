// The ways that the objective is computed, for tests that go through each of them.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <utility>

#include "kernels/mode.h"
#include "rl/loss/policy_loss.h"

namespace covrl::testing {

enum class ObjectivePath {
  kFused,    // kernels/token_policy_loss.h
  kOracle,   // its oracle
  kTensors,  // term by term, as a loss without a fused form is
};

class OnObjectivePath {
 public:
  explicit OnObjectivePath(ObjectivePath path) {
    if (path == ObjectivePath::kOracle) kernels::set_mode(kernels::Mode::kReference);
  }
  OnObjectivePath(const OnObjectivePath&) = delete;
  OnObjectivePath& operator=(const OnObjectivePath&) = delete;
  ~OnObjectivePath() { kernels::set_mode(kernels::Mode::kFast); }
};

// Another loss without its fused form.
class UnfusedLoss : public PolicyLoss {
 public:
  explicit UnfusedLoss(std::unique_ptr<PolicyLoss> loss) : loss_(std::move(loss)) {}
  LossTerms terms(const LossInput& input) const override { return loss_->terms(input); }
  at::Tensor weight(const LossInput& input, const at::Tensor& weight_T) const override {
    return loss_->weight(input, weight_T);
  }

 private:
  std::unique_ptr<PolicyLoss> loss_;
};

inline std::unique_ptr<PolicyLoss> make_policy_loss(const PolicyLossConfig& config,
                                                    ObjectivePath path) {
  std::unique_ptr<PolicyLoss> loss = covrl::make_policy_loss(config);
  if (path == ObjectivePath::kTensors) loss = std::make_unique<UnfusedLoss>(std::move(loss));
  return loss;
}

// A test of each path; GetParam() is the path.
class ObjectivePathTest : public ::testing::TestWithParam<ObjectivePath> {
 private:
  OnObjectivePath on_path_{GetParam()};
};

inline auto objective_paths() {
  return ::testing::Values(ObjectivePath::kFused, ObjectivePath::kOracle, ObjectivePath::kTensors);
}

}  // namespace covrl::testing
