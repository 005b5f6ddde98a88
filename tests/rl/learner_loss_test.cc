// Every policy loss, seen from the learner: neither micro-batches nor ranks matter, also where the
// loss is of whole sequences.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>

#include "core/error.h"
#include "core/rng.h"
#include "kernels/mode.h"
#include "rl/learner.h"
#include "tests/support/fake_comm.h"
#include "tests/support/torch/batches.h"
#include "tests/support/torch/tiny_model.h"

namespace covrl {
namespace {

using testing::flat_weights;

constexpr int64_t kNumGroups = 3, kNumSamples = 3, kMaxLength = 9;

// Completions of 1 to 9 tokens, one of them rejected as a whole and one in its middle; off-policy
// weights between 0.5 and 1.5; old log-probs that are not the policy's.
Batch make_batch(const at::Tensor& old_logprob_T) {
  std::vector<Group> groups;
  std::vector<double> advantages;
  Sequence draws(12, Stream::kTest);
  for (int64_t g = 0; g < kNumGroups; ++g) {
    Group& group = groups.emplace_back();
    group.slot = static_cast<uint64_t>(g);
    group.prompt.tokens = {draws.between(0, 36), draws.between(0, 36)};
    for (int64_t i = 0; i < kNumSamples; ++i) {
      Trajectory& trajectory = group.trajectories.emplace_back();
      const int64_t length = i == 0 ? 5 : draws.between(1, kMaxLength);
      for (int64_t t = 0; t < length; ++t) {
        trajectory.tokens.push_back(draws.between(0, 36));
        trajectory.behaviour_logprob.push_back(-1);
      }
      trajectory.finish_reason = FinishReason::kStop;
      trajectory.verdict.outcome = Outcome::kWrong;
      advantages.push_back(draws.normal());
    }
  }
  Batch batch = Batch::pack(1, groups);
  batch.loss_mask_T.narrow(0, batch.cu_seqlens[1], batch.cu_seqlens[2] - batch.cu_seqlens[1])
      .fill_(false);
  batch.loss_mask_T.narrow(0, batch.cu_seqlens[3] + 3, 1).fill_(false);
  std::vector<double> weights;
  for (int64_t t = 0; t < batch.num_tokens(); ++t) weights.push_back(0.5 + draws.uniform());
  batch.rollout_weight_T.set(at::tensor(weights, at::kDouble).to(at::kFloat));
  batch.advantage_T.set(testing::broadcast(batch, advantages));
  if (old_logprob_T.defined()) {
    batch.old_logprob_T.set(old_logprob_T);
    batch.old_entropy_T.set(at::zeros_like(old_logprob_T));
  }
  return batch;
}

// The gradient shows in the step: without running means, and with eps far above the clipped
// gradient.
LearnerConfig make_config(const std::string& kind) {
  LearnerConfig config;
  config.policy_loss.kind = kind;
  config.loss_agg_mode =
      config.policy_loss.traits().of_sequence ? "seq-mean-token-mean" : "token-mean";
  testing::show_gradient(config.optim);
  return config;
}

struct Outcomes {
  at::Tensor step;
  std::vector<std::pair<std::string, double>> metrics;
};

Outcomes learn(const LearnerConfig& config, int num_ranks) {
  Outcomes result;
  testing::run_ranks(num_ranks, [&](Communicator& comm) {
    Model policy = testing::tiny_model(5), older = testing::tiny_model(6);
    Batch scored = make_batch({});
    Learner(config, older, nullptr, comm, 0.7, 1, 100, kMaxLength).score(scored);
    Batch batch = make_batch(scored.old_logprob_T.get());
    const at::Tensor before = flat_weights(policy);
    const Metrics metrics =
        Learner(config, policy, nullptr, comm, 0.7, 1, 100, kMaxLength).update(batch);
    if (comm.is_root()) result = {flat_weights(policy) - before, metrics.entries()};
  });
  return result;
}

class LearnerLossTest : public ::testing::TestWithParam<std::string> {
 protected:
  static void SetUpTestSuite() { kernels::set_num_threads(1); }
};

TEST_P(LearnerLossTest, MicroBatchesAndRanksDoNotChangeLossAndGradient) {
  LearnerConfig config = make_config(GetParam());
  config.ppo_max_tokens = 100000;
  const Outcomes whole = learn(config, 1);
  EXPECT_GT(whole.step.norm().item<double>(), 0);
  for (int64_t max_tokens : {1, 17, 40}) {
    config.ppo_max_tokens = max_tokens;
    const Outcomes parts = learn(config, 1), shared = learn(config, 2);
    EXPECT_LT(((parts.step - whole.step).norm() / whole.step.norm()).item<double>(), 1e-6)
        << max_tokens;
    for (size_t i = 0; i < whole.metrics.size(); ++i)
      EXPECT_NEAR(parts.metrics[i].second, whole.metrics[i].second,
                  1e-6 * std::abs(whole.metrics[i].second) + 1e-9)
          << max_tokens << whole.metrics[i].first;
    EXPECT_TRUE(shared.step.equal(parts.step)) << max_tokens;
    EXPECT_EQ(shared.metrics, parts.metrics) << max_tokens;
  }
}

INSTANTIATE_TEST_SUITE_P(Kinds, LearnerLossTest, ::testing::ValuesIn(policy_loss_names()));

TEST(LearnerConfigTest, LossesOfSequencesAskForAMeanOverSequences) {
  const auto load = [](const std::vector<std::string>& overrides) {
    LearnerConfig config;
    config::load({{}, overrides}, [&](config::Visitor& v) { config.describe(v); });
  };
  for (const char* kind : {"gspo", "geo_mean", "sapo"}) {
    const std::string chosen = concat("policy_loss.kind=", kind);
    load({chosen, "loss_agg_mode=seq-mean-token-mean"});
    try {
      load({chosen});
      ADD_FAILURE() << kind << " accepts token-mean";
    } catch (const Error& error) {
      EXPECT_NE(std::string(error.what()).find("seq-mean-token-mean"), std::string::npos)
          << error.what();
    }
  }
}

}  // namespace
}  // namespace covrl
