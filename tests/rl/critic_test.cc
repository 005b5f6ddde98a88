#include "rl/critic.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>

#include "core/error.h"
#include "core/rng.h"
#include "kernels/mode.h"
#include "rl/loss/reduction.h"
#include "rl/loss/value_loss.h"
#include "tests/support/fake_comm.h"
#include "tests/support/torch/batches.h"
#include "tests/support/torch/tiny_model.h"

namespace covrl {
namespace {

using testing::flat_weights;

using testing::tiny_model;

// Returns that differ from token to token: a function of prompt and position, so that one state
// (the prompt, before each first token) has one return.
at::Tensor make_returns(const Batch& batch) {
  at::Tensor returns = at::zeros({batch.num_tokens()}, at::kFloat);
  for (int64_t t = 0, n = 0; t < batch.num_tokens(); ++t) {
    while (t >= batch.cu_seqlens[static_cast<size_t>(n) + 1]) ++n;
    if (!batch.loss_mask_T[t].item<bool>()) continue;
    const uint64_t slot = batch.sequence_ids[static_cast<size_t>(n)].slot;
    const auto position = static_cast<uint64_t>(batch.positions_T[t].item<int64_t>());
    returns[t] = Sequence(13, Stream::kTest, slot, position).normal();
  }
  return returns;
}

CriticConfig make_config() {
  CriticConfig config;
  config.ppo_mini_batch_size = 2;
  config.ppo_epochs = 2;
  config.ppo_max_tokens = 40;
  config.optim.lr = 1e-3;
  return config;
}

// A head that is not zero, so that gradients flow into the trunk from the first update on.
void set_head(ValueModel& model) {
  const at::NoGradGuard no_grad;
  for (const auto& [name, parameter] : model.parameters())
    if (name == "score.weight") parameter.detach().copy_(0.1 * at::sin(at::arange(16)));
}

struct Outcomes {
  at::Tensor start, weights, values;
  std::vector<std::pair<std::string, double>> metrics;
};

Outcomes learn(const CriticConfig& config, const std::vector<Group>& groups, int num_ranks) {
  std::vector<Outcomes> results(static_cast<size_t>(num_ranks));
  testing::run_ranks(num_ranks, [&](Communicator& comm) {
    Critic critic(config, tiny_model(5), comm, 100, 9);
    set_head(critic.model());
    const at::Tensor start = flat_weights(critic.model());
    Batch batch = Batch::pack(1, groups);
    critic.fill_values(batch);
    batch.return_T.set(make_returns(batch));
    const Metrics metrics = critic.update(batch);
    results[static_cast<size_t>(comm.rank())] = {start, flat_weights(critic.model()),
                                                 batch.value_T.get(), metrics.entries()};
  });
  for (const Outcomes& result : results) {
    EXPECT_TRUE(result.weights.equal(results[0].weights));
    EXPECT_TRUE(result.values.equal(results[0].values));
    EXPECT_EQ(result.metrics, results[0].metrics);
  }
  return results[0];
}

using testing::metric_of;

// One update that shows the gradient.
CriticConfig gradient_config() {
  CriticConfig config = make_config();
  config.ppo_mini_batch_size = 0;
  config.ppo_epochs = 1;
  testing::show_gradient(config.optim);
  return config;
}

class CriticTest : public ::testing::Test {
 protected:
  // The ranks are threads already: pools of threads below them would only wait for each other.
  static void SetUpTestSuite() { kernels::set_num_threads(1); }
};

TEST_F(CriticTest, RankCountDoesNotChangeABit) {
  const std::vector<Group> groups = testing::random_groups(5);
  const Outcomes wanted = learn(make_config(), groups, 1);
  EXPECT_FALSE(wanted.weights.equal(wanted.start));
  for (int num_ranks : {2, 4}) {
    const Outcomes seen = learn(make_config(), groups, num_ranks);
    EXPECT_TRUE(seen.weights.equal(wanted.weights)) << num_ranks;
    EXPECT_TRUE(seen.values.equal(wanted.values)) << num_ranks;
    EXPECT_EQ(seen.metrics, wanted.metrics) << num_ranks;
  }
}

TEST_F(CriticTest, MicroBatchSizeDoesNotChangeLossAndGradient) {
  const std::vector<Group> groups = testing::random_groups(5);
  for (const std::string& mode : reduction_names()) {
    CriticConfig config = gradient_config();
    config.loss_agg_mode = mode;
    config.ppo_max_tokens = 100000;
    const Outcomes whole = learn(config, groups, 1);
    const at::Tensor step = (whole.weights - whole.start).to(at::kDouble);
    for (int64_t max_tokens : {1, 17, 40}) {
      config.ppo_max_tokens = max_tokens;
      const Outcomes parts = learn(config, groups, 1);
      EXPECT_TRUE(parts.values.equal(whole.values)) << mode << max_tokens;
      const at::Tensor difference = (parts.weights - whole.weights).to(at::kDouble);
      EXPECT_LT(difference.norm().item<double>(), 1e-6 * step.norm().item<double>())
          << mode << max_tokens;
      for (const auto& [name, value] : whole.metrics)
        EXPECT_NEAR(metric_of(parts.metrics, name), value, 1e-6 * std::abs(value) + 1e-9)
            << mode << max_tokens << name;
    }
  }
}

TEST_F(CriticTest, AValueIsThatOfTheStateTheTokenIsSampledIn) {
  const std::vector<Group> groups = testing::random_groups(2);
  testing::run_ranks(1, [&](Communicator& comm) {
    Critic critic(make_config(), tiny_model(5), comm, 100, 9);
    set_head(critic.model());
    Batch batch = Batch::pack(1, groups);
    critic.fill_values(batch);
    at::Tensor wanted = at::zeros({batch.num_tokens()});
    int64_t begin = 0;
    const at::NoGradGuard no_grad;
    for (const Group& group : groups)
      for (const Trajectory& trajectory : group.trajectories) {
        std::vector<int64_t> state = group.prompt.tokens;
        for (int64_t token : trajectory.tokens) {
          const int64_t last = static_cast<int64_t>(state.size()) - 1;
          wanted[begin + last] =
              critic.model().values(pack_tokens({state}), at::tensor({last}, at::kLong))[0];
          state.push_back(token);
        }
        begin += static_cast<int64_t>(state.size());
      }
    EXPECT_TRUE(batch.value_T.get().equal(wanted));
  });
}

// Derivative of the loss along its own gradient, which is the gradient's norm.
TEST_F(CriticTest, GradientEqualsFiniteDifferences) {
  Batch batch = Batch::pack(1, testing::random_groups(2));
  ValueModel model(tiny_model(5));
  set_head(model);
  const Piece piece = make_piece(batch, {learning_sequences(batch), batch.num_tokens()});
  const at::Tensor returns = piece.part(make_returns(batch));
  const at::Tensor mask = piece.part(batch.loss_mask_T);
  const MiniBatch mini_batch = split_mini_batches(batch, 0, MiniBatchUnit::kPrompts, 9).front();
  const at::Tensor weight = reduction_weights("token-mean", mask, piece.offsets, mini_batch.counts);
  const at::Tensor old = model.values(piece.packed, piece.rows).detach() + 0.3;
  const auto loss = [&] {
    const at::Tensor values = model.values(piece.packed, piece.rows);
    return reduce(value_loss({values, old, returns, mask}, 0.5).loss_T, weight);
  };
  model.set_requires_grad(true);
  loss().backward();
  model.set_requires_grad(false);
  double norm = 0;
  for (const auto& [name, parameter] : model.parameters()) {
    ASSERT_TRUE(parameter.grad().defined()) << name;
    norm += parameter.grad().to(at::kDouble).square().sum().item<double>();
  }
  norm = std::sqrt(norm);
  const auto moved = [&](double length) {
    for (const auto& [name, parameter] : model.parameters())
      parameter.detach().add_(parameter.grad(), length / norm);
    return loss().item<double>();
  };
  // Rounding of float32 over the step's width 2h, and h^2 times the third derivative.
  constexpr double kStep = 2e-3;
  const double above = moved(kStep), below = moved(-2 * kStep);
  EXPECT_NEAR((above - below) / (2 * kStep), norm, 1e-3 * norm);
}

TEST_F(CriticTest, LearnsTheReturnsOfAFixedBatch) {
  testing::run_ranks(1, [&](Communicator& comm) {
    CriticConfig config = make_config();
    config.optim.lr = 1e-2;
    Critic critic(config, tiny_model(5), comm, 1000, 9);
    std::vector<double> losses, explained;
    for (int step = 0; step < 60; ++step) {
      Batch batch = Batch::pack(1, testing::random_groups(4));
      critic.fill_values(batch);
      batch.return_T.set(make_returns(batch));
      const Metrics metrics = critic.update(batch);
      losses.push_back(metrics.at("critic/vf_loss"));
      explained.push_back(metrics.at("critic/vf_explained_var"));
      if (step == 0) {
        EXPECT_EQ(metrics.at("critic/values/max"), 0);
        EXPECT_NEAR(explained[0], 0, 1e-4);
      }
    }
    EXPECT_LT(losses.back(), 0.05 * losses.front());
    EXPECT_GT(explained.back(), 0.9);
  });
}

TEST_F(CriticTest, FailedTrajectoriesChangeNothing) {
  const std::vector<Group> groups = testing::random_groups(4);
  std::vector<Group> with_failures = groups;
  for (Group& group : with_failures) {
    Trajectory failed = group.trajectories[0];
    failed.verdict.outcome = Outcome::kFailed;
    group.trajectories.push_back(failed);
  }
  const Outcomes wanted = learn(make_config(), groups, 1),
                 seen = learn(make_config(), with_failures, 1);
  EXPECT_TRUE(seen.weights.equal(wanted.weights));
  EXPECT_EQ(seen.metrics, wanted.metrics);
}

TEST_F(CriticTest, WithoutUsableTokensNothingIsStepped) {
  std::vector<Group> groups = testing::random_groups(2);
  for (Group& group : groups)
    for (Trajectory& trajectory : group.trajectories) trajectory.verdict.outcome = Outcome::kFailed;
  const Outcomes seen = learn(make_config(), groups, 2);
  EXPECT_TRUE(seen.weights.equal(seen.start));
  EXPECT_EQ(metric_of(seen.metrics, "critic/vf_explained_var"), 0);
}

TEST_F(CriticTest, NonFiniteLossThrowsOnEveryRankBeforeTheStep) {
  std::vector<int> num_thrown(2);
  testing::run_ranks(2, [&](Communicator& comm) {
    Critic critic(make_config(), tiny_model(5), comm, 100, 9);
    Batch batch = Batch::pack(1, testing::random_groups(2));
    critic.fill_values(batch);
    batch.return_T.set(at::full({batch.num_tokens()}, std::nanf("")));
    const at::Tensor before = flat_weights(critic.model());
    try {
      critic.update(batch);
    } catch (const Error& error) {
      EXPECT_NE(std::string(error.what()).find("critic/vf_loss"), std::string::npos)
          << error.what();
      ++num_thrown[static_cast<size_t>(comm.rank())];
    }
    EXPECT_TRUE(flat_weights(critic.model()).equal(before));
  });
  EXPECT_EQ(num_thrown, (std::vector<int>{1, 1}));
}

}  // namespace
}  // namespace covrl
