#include "rl/loss/objective.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>
#include <tuple>

#include "kernels/token_logprob.h"
#include "rl/loss/kl.h"
#include "rl/loss/reduction.h"
#include "tests/support/torch/objective_paths.h"
#include "tests/support/vectors.h"

namespace covrl {
namespace {

using testing::ObjectivePath;

class ObjectiveTest : public testing::ObjectivePathTest {};
INSTANTIATE_TEST_SUITE_P(Paths, ObjectiveTest, testing::objective_paths());

ControlStack bonus(double coefficient) {
  return ControlStack({.kind = {"bonus"}, .entropy_coeff = coefficient});
}

at::Tensor uniform(at::IntArrayRef shape, int64_t salt) {
  int64_t count = 1;
  for (int64_t size : shape) count *= size;
  const at::Tensor index = at::arange(count, at::kDouble) + 1 + 1000 * salt;
  return (at::frac((index * 12.9898).sin() * 43758.5453).abs() * 2 - 1).view(shape);
}

double sum_of(const ObjectiveValue& value, ObjectiveSum sum) {
  return value.sums[static_cast<int64_t>(sum)].item<double>();
}

TEST_P(ObjectiveTest, EqualsTheOneShotVectors) {
  COVRL_REQUIRE_VECTORS(path, "actor_loss_one_shot");
  int num_checked = 0;
  for (const Json& one_case : testing::vector_cases(path)) {
    const std::vector<int64_t> offsets = testing::vector_offsets(one_case["labels"]);
    const at::Tensor mask = testing::vector_mask(one_case["response_mask"]);
    const double num_tokens = mask.sum().item<double>();
    for (const Json& result : one_case["results"]) {
      const at::Tensor logits =
          testing::vector_tensor(one_case["logits"]).view({mask.numel(), -1}).requires_grad_();
      const kernels::TokenLogprob scored = kernels::token_logprob_from_logits(
          logits, testing::vector_tensor(one_case["labels"], at::kLong),
          one_case["temperature"].get<double>());
      const at::Tensor logprob = scored.logprob_T.detach();
      ObjectiveInput input;
      input.policy = {scored.logprob_T, logprob - testing::vector_tensor(one_case["old_minus"]),
                      testing::vector_tensor(one_case["advantages"]), mask};
      input.ref_logprob_T = logprob - testing::vector_tensor(one_case["ref_minus"]);
      input.entropy_T = scored.entropy_T;
      input.weight_T = reduction_weights("token-mean", mask, offsets, {num_tokens, 0, 0});
      PolicyLossConfig loss;
      loss.clip_ratio_c = 0;  // that fork has no dual clip
      const double kl_loss_coef = result["kl_loss_coef"].get<double>();
      const ObjectiveValue value =
          objective({result["pg_loss_coeff"].get<double>(), kl_loss_coef, "low_var_kl"},
                    *testing::make_policy_loss(loss, GetParam()),
                    bonus(result["entropy_coeff"].get<double>()), input);
      value.loss.backward();

      const testing::Tolerance tolerance;
      const auto check = [&](double seen, const char* key) {
        testing::expect_close(seen, testing::vector_number(result[key]), tolerance, key);
      };
      check(value.loss.item<double>(), "total");
      check(sum_of(value, ObjectiveSum::kLoss), "total");
      check(sum_of(value, ObjectiveSum::kPolicyLoss), "pg_loss");
      if (kl_loss_coef != 0) check(sum_of(value, ObjectiveSum::kKlLoss), "kl_loss");
      check(sum_of(value, ObjectiveSum::kEntropy) / num_tokens, "entropy");
      check(sum_of(value, ObjectiveSum::kOldMinusNew) / num_tokens, "ppo_kl");
      check(sum_of(value, ObjectiveSum::kClipped) / num_tokens, "pg_clipfrac");
      testing::expect_close(logits.grad(), testing::vector_tensor(result["grad_logits"]),
                            at::ones({logits.numel()}, at::kBool), tolerance, "gradient");
      ++num_checked;
    }
  }
  EXPECT_GT(num_checked, 0);
  std::cout << "actor_loss_one_shot: " << num_checked << " results checked\n";
}

TEST_P(ObjectiveTest, MicroBatchesAddUpToTheReferenceVectors) {
  COVRL_REQUIRE_VECTORS(path, "microbatch_accumulation");
  int num_checked = 0;
  for (const Json& one_case : testing::vector_cases(path)) {
    const Json& inputs = one_case["inputs"];
    const int64_t num_rows = static_cast<int64_t>(inputs["log_prob"].size());
    const auto matrix = [&](const char* key) {
      return testing::vector_tensor(inputs[key]).view({num_rows, -1});
    };
    const at::Tensor logprob = matrix("log_prob").requires_grad_();
    const at::Tensor mask = testing::vector_mask(inputs["response_mask"]).view({num_rows, -1});
    const ReductionCounts counts{mask.sum().item<double>(), static_cast<double>(num_rows), 0};
    double loss = 0;
    for (const Json& rows : one_case["micro_batches"]) {
      const at::Tensor index = testing::vector_tensor(rows, at::kLong);
      const auto part = [&](const at::Tensor& values) {
        return values.index_select(0, index).flatten();
      };
      ObjectiveInput input;
      input.policy = {part(logprob), part(matrix("old_log_prob")), part(matrix("advantages")),
                      part(mask)};
      input.entropy_T = at::zeros_like(input.policy.logprob_T);
      input.weight_T = reduction_weights("token-mean", input.policy.mask_T,
                                         {0, input.policy.mask_T.numel()}, counts);
      const ObjectiveValue value =
          objective({}, *testing::make_policy_loss({}, GetParam()), ControlStack({}), input);
      value.loss.backward();
      loss += value.loss.item<double>();
    }
    const Json& wanted = one_case["global_token_mean"];
    testing::expect_close(loss, testing::vector_number(wanted["loss"]), {}, "loss");
    testing::expect_close(logprob.grad(), testing::vector_tensor(wanted["grad_log_prob"]),
                          at::ones({logprob.numel()}, at::kBool), {}, "gradient");
    // Recorded with 1e-8 more in the number of tokens.
    testing::expect_close(loss, testing::vector_number(one_case["whole_batch_loss"]), {1.1e-8, 0},
                          "whole batch");
    ++num_checked;
  }
  EXPECT_GT(num_checked, 0);
  std::cout << "microbatch_accumulation: " << num_checked << " cases checked\n";
}

// The whole loss as a function of hidden states and head: 2 sequences of 5 tokens, hidden size 4,
// vocabulary 7.
struct Toy {
  at::Tensor hidden = uniform({10, 4}, 1).requires_grad_();
  at::Tensor head = uniform({7, 4}, 2).requires_grad_();
  at::Tensor targets = at::remainder(at::arange(10), 7);
  at::Tensor mask = at::tensor({0, 1, 1, 1, 0, 1, 1, 0, 0, 0}, at::kLong).to(at::kBool);

  at::Tensor loss(const ObjectiveConfig& config, const std::string& reduction,
                  ObjectivePath path) const {
    const kernels::TokenLogprob scored = kernels::token_logprob(hidden, head, targets, 0.6);
    ObjectiveInput input;
    // Off-policy and clipped in places; no ratio at a kink, where differences and gradient differ.
    const at::Tensor start =
        kernels::token_logprob(uniform({10, 4}, 1), uniform({7, 4}, 2), targets, 0.6).logprob_T;
    input.policy = {scored.logprob_T, start + 0.4 * uniform({10}, 3), uniform({10}, 4), mask};
    input.ref_logprob_T = start + 0.3 * uniform({10}, 5);
    input.entropy_T = scored.entropy_T;
    input.weight_T = reduction_weights(reduction, mask, {0, 5, 10}, {5, 2, 8});
    return objective(config, *testing::make_policy_loss({}, path), bonus(0.1), input).loss;
  }
};

class ObjectiveGradientTest
    : public ::testing::TestWithParam<std::tuple<std::string, ObjectivePath>> {
 protected:
  at::Tensor loss(const Toy& toy, const ObjectiveConfig& config) const {
    return toy.loss(config, std::get<0>(GetParam()), std::get<1>(GetParam()));
  }

 private:
  testing::OnObjectivePath on_path_{std::get<1>(GetParam())};
};

TEST_P(ObjectiveGradientTest, EqualsFiniteDifferences) {
  constexpr double kStep = 1e-5;
  for (const char* kl : {"k1", "k2", "k3"}) {
    Toy toy;
    const ObjectiveConfig config{0.7, 0.05, kl};
    loss(toy, config).backward();
    for (at::Tensor* variable : {&toy.hidden, &toy.head}) {
      const at::Tensor gradient = variable->grad();
      for (int64_t i = 0; i < variable->numel(); ++i) {
        const at::NoGradGuard no_grad;
        double* element = variable->mutable_data_ptr<double>() + i;
        const double middle = *element;
        *element = middle + kStep;
        const double above = loss(toy, config).item<double>();
        *element = middle - kStep;
        const double below = loss(toy, config).item<double>();
        *element = middle;
        // Error of a central difference: step^2 and rounding / step, both near 1e-10.
        EXPECT_NEAR(gradient.flatten()[i].item<double>(), (above - below) / (2 * kStep), 2e-9)
            << kl << i;
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Reductions, ObjectiveGradientTest,
                         ::testing::Combine(::testing::ValuesIn(reduction_names()),
                                            testing::objective_paths()));

TEST_P(ObjectiveTest, NothingOutsideTheMaskIsRead) {
  const double nan = std::nan("");
  const at::Tensor mask = at::tensor({1, 0}, at::kLong).to(at::kBool);
  const auto poisoned = [nan](double value) { return at::tensor({value, nan}, at::kDouble); };
  for (const std::string& kl : kl_names()) {
    ObjectiveInput input;
    input.policy = {poisoned(-1).requires_grad_(), poisoned(-1.1), poisoned(2), mask};
    input.entropy_T = poisoned(0.3).requires_grad_();
    input.ref_logprob_T = poisoned(-1.2);
    input.weight_T = reduction_weights("token-mean", mask, {0, 2}, {1, 1, 2});
    const ObjectiveValue value =
        objective({1, 0.1, kl}, *testing::make_policy_loss({}, GetParam()), bonus(0.1), input);
    value.loss.backward();
    EXPECT_TRUE(at::isfinite(value.sums).all().item<bool>()) << kl;
    for (const at::Tensor& gradient : {input.policy.logprob_T.grad(), input.entropy_T.grad()}) {
      EXPECT_TRUE(at::isfinite(gradient).all().item<bool>()) << kl;
      EXPECT_NE(gradient[0].item<double>(), 0) << kl;
      EXPECT_EQ(gradient[1].item<double>(), 0) << kl;
    }
  }
}

TEST_P(ObjectiveTest, ZeroCoefficientsLeaveTermsOut) {
  const at::Tensor mask = at::ones({2}, at::kBool);
  ObjectiveInput input;
  input.policy = {at::tensor({-1.0, -2.0}, at::kDouble).requires_grad_(),
                  at::tensor({-1.5, -1.5}, at::kDouble), at::tensor({1.0, INFINITY}, at::kDouble),
                  mask};
  input.entropy_T = at::tensor({0.5, 0.5}, at::kDouble);
  input.weight_T = reduction_weights("token-mean", mask, {0, 2}, {2, 1, 2});
  const ObjectiveValue value =
      objective({0, 0, "k3"}, *testing::make_policy_loss({}, GetParam()), ControlStack({}), input);
  EXPECT_EQ(value.loss.item<double>(), 0);
  EXPECT_FALSE(value.loss.requires_grad());
}

// Off-policy tokens in float32, a quarter of them outside the mask, with selections for `controls`.
ObjectiveInput random_input(const EntropyControlConfig& controls, bool rollout_weight) {
  constexpr int64_t kCount = 1021;
  at::manual_seed(3);
  const auto some = [](double share) { return at::rand({kCount}) < share; };
  const at::Tensor mask = some(0.75), logprob = -at::rand({kCount}) * 4;
  ObjectiveInput input;
  input.policy = {logprob.clone().requires_grad_(), logprob + 0.4 * at::randn({kCount}),
                  at::where(some(0.1), at::zeros({kCount}), at::randn({kCount})), mask};
  input.entropy_T = at::rand({kCount}).requires_grad_();
  input.ref_logprob_T = logprob + at::randn({kCount});
  if (rollout_weight) input.rollout_weight_T = at::rand({kCount}) * 2;
  const double num_tokens = mask.sum().item<double>();
  input.weight_T = reduction_weights("token-mean", mask, {0, kCount}, {num_tokens, 1, 0});
  for (const std::string& kind : controls.kind)
    input.selected.push_back(make_entropy_control(kind, controls)->selects() ? some(0.2) & mask
                                                                             : at::Tensor());
  return input;
}

struct Gradients {
  at::Tensor logprob_T, entropy_T;
};

Gradients gradients_of(const ObjectiveConfig& config, const PolicyLoss& loss,
                       const ControlStack& controls, ObjectiveInput input) {
  for (at::Tensor* variable : {&input.policy.logprob_T, &input.entropy_T})
    *variable = variable->detach().clone().requires_grad_();
  objective(config, loss, controls, input).loss.backward();
  return {input.policy.logprob_T.grad(), input.entropy_T.grad()};
}

void expect_same_gradients(const PolicyLossConfig& loss, const EntropyControlConfig& controls,
                           const ObjectiveConfig& config, bool rollout_weight) {
  const ObjectiveInput input = random_input(controls, rollout_weight);
  const auto gradients = [&](ObjectivePath path) {
    return gradients_of(config, *testing::make_policy_loss(loss, path), ControlStack(controls),
                        input);
  };
  const Gradients fused = gradients(ObjectivePath::kFused),
                  tensors = gradients(ObjectivePath::kTensors);
  EXPECT_TRUE(fused.logprob_T.equal(tensors.logprob_T));
  ASSERT_EQ(fused.entropy_T.defined(), tensors.entropy_T.defined());
  if (fused.entropy_T.defined()) {
    EXPECT_TRUE(fused.entropy_T.equal(tensors.entropy_T));
  }
}

EntropyControlConfig stack_of(std::vector<std::string> kind, const std::string& penalty = "abs") {
  EntropyControlConfig config{.kind = std::move(kind)};
  config.kl_cov_penalty = penalty;
  config.ppo_kl_coef = 1.7;
  config.entropy_coeff = 0.013;
  config.target_entropy = 1;
  return config;
}

const std::vector<std::vector<std::string>> kFusedStacks = {{"none"},
                                                            {"bonus"},
                                                            {"adaptive_bonus"},
                                                            {"clip_cov"},
                                                            {"kl_cov"},
                                                            {"top_entropy"},
                                                            {"clip_cov", "bonus"},
                                                            {"top_entropy", "clip_cov", "kl_cov"},
                                                            {"kl_cov", "bonus"}};

TEST(FusedObjectiveTest, HasTheBitsOfTheTensors) {
  for (const bool rollout_weight : {false, true})
    for (const double policy : {1.0, 0.7})
      for (const char* kind : {"clip", "unclipped"})
        for (const std::vector<std::string>& stack : kFusedStacks) {
          SCOPED_TRACE(concat(kind, ' ', stack.front(), " of ", stack.size(), ", ", policy));
          expect_same_gradients({.kind = kind}, stack_of(stack), {policy, 0.03, "k3"},
                                rollout_weight);
          expect_same_gradients({.kind = kind}, stack_of(stack), {policy, 0, "k3"}, rollout_weight);
        }
}

TEST(FusedObjectiveTest, HasTheBitsOfTheTensorsForEveryEstimator) {
  for (const std::string& kl : kl_names())
    for (const char* penalty : {"abs", "k1", "k2", "k3"}) {
      SCOPED_TRACE(concat(kl, ' ', penalty));
      expect_same_gradients({}, stack_of({"kl_cov"}, penalty), {1, 0.03, kl}, true);
    }
}

// Whether loss and controls, with something selected, have a form in the fused op.
bool is_fused(const PolicyLossConfig& loss, const EntropyControlConfig& controls) {
  kernels::TokenPolicyLossInput input;
  kernels::PolicyLossTerms terms;
  FusedControls fused(input, terms);
  const std::vector<at::Tensor> selected(controls.kind.size(), at::ones({1}, at::kBool));
  return make_policy_loss(loss)->fuse(terms) && ControlStack(controls).fuse(selected, fused);
}

TEST(FusedObjectiveTest, IsTakenWhereEveryPartHasAFormInIt) {
  for (const std::vector<std::string>& stack : kFusedStacks) {
    EXPECT_TRUE(is_fused({.kind = "clip"}, stack_of(stack))) << stack.front();
    EXPECT_TRUE(is_fused({.kind = "unclipped"}, stack_of(stack))) << stack.front();
    EXPECT_FALSE(is_fused({.kind = "sapo"}, stack_of(stack))) << stack.front();
  }
  // Another order is another function, or other roundings.
  EXPECT_FALSE(is_fused({}, stack_of({"bonus", "clip_cov"})));
  EXPECT_FALSE(is_fused({}, stack_of({"kl_cov", "top_entropy"})));
  EXPECT_FALSE(is_fused({}, stack_of({"bonus", "adaptive_bonus"})));
}

}  // namespace
}  // namespace covrl
