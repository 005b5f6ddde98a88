// actor.entropy_control.rescore: measured and first-order change of entropy after the updates.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>

#include "kernels/mode.h"
#include "rl/learner.h"
#include "tests/support/fake_comm.h"
#include "tests/support/torch/batches.h"
#include "tests/support/torch/tiny_model.h"

namespace covrl {
namespace {

constexpr double kTemperature = 0.7;
constexpr int64_t kVocabulary = 37;

// One prompt, and completions of one token each: token v `counts[v]` times, with an advantage of
// its own.
Batch make_batch(const std::vector<int64_t>& counts) {
  Group group;
  group.prompt.tokens = {3, 11, 7};
  std::vector<double> advantages;
  for (size_t v = 0; v < counts.size(); ++v)
    for (int64_t i = 0; i < counts[v]; ++i) {
      Trajectory& trajectory = group.trajectories.emplace_back();
      trajectory.tokens = {static_cast<int64_t>(v)};
      trajectory.behaviour_logprob = {-1};
      trajectory.finish_reason = FinishReason::kStop;
      trajectory.verdict.outcome = Outcome::kWrong;
      advantages.push_back(std::cos(static_cast<double>(3 * v)));
    }
  Batch batch = Batch::pack(1, {group});
  batch.advantage_T.set(testing::broadcast(batch, advantages));
  return batch;
}

struct Changes {
  double measured = 0, first_order = 0;
  bool operator==(const Changes&) const = default;
};

Changes learn(double lr, const std::vector<int64_t>& counts, Communicator& comm) {
  LearnerConfig config;
  config.entropy_control.rescore = true;
  config.optim.lr = lr;
  config.optim.weight_decay = 0;
  config.ppo_max_tokens = 1000;
  Model policy = testing::tiny_model(5);
  Learner learner(config, policy, nullptr, comm, kTemperature, 1, 100, 9);
  Batch batch = make_batch(counts);
  learner.score(batch);
  const Metrics metrics = learner.update(batch);
  return {metrics.at("entropy_ctrl/delta_same_states"),
          metrics.at("entropy_ctrl/delta_first_order")};
}

// Of `total` completions, each token as often as the policy would sample it, so that the sampled
// estimate of the covariance has no noise but rounding.
std::vector<int64_t> in_proportion(double total) {
  const auto comm = make_self_communicator();
  Model policy = testing::tiny_model(5);
  LearnerConfig config;
  Learner learner(config, policy, nullptr, *comm, kTemperature, 1, 100, 9);
  Batch batch = make_batch(std::vector<int64_t>(kVocabulary, 1));
  learner.score(batch);
  const at::Tensor logprob = batch.old_logprob_T.get().masked_select(batch.loss_mask_T);
  std::vector<int64_t> counts;
  for (int64_t v = 0; v < kVocabulary; ++v)
    counts.push_back(std::llround(total * std::exp(logprob[v].item<double>())));
  return counts;
}

class LearnerRescoreTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { kernels::set_num_threads(1); }
};

TEST_F(LearnerRescoreTest, MeasuredAndFirstOrderAgreeForSmallSteps) {
  const auto comm = make_self_communicator();
  const std::vector<int64_t> counts = in_proportion(3000);
  const Changes coarse = learn(2e-5, counts, *comm), fine = learn(4e-6, counts, *comm);
  const auto error = [](const Changes& change) {
    return std::abs(change.first_order - change.measured);
  };
  EXPECT_GT(std::abs(fine.measured), 2e-5);  // far above float32 rounding of an entropy
  EXPECT_LT(error(coarse), 0.1 * std::abs(coarse.measured));
  EXPECT_LT(error(fine), 0.03 * std::abs(fine.measured));
  EXPECT_LT(error(fine), error(coarse) / 10);  // of second order: 25
}

TEST_F(LearnerRescoreTest, RankCountDoesNotChangeABit) {
  std::vector<Changes> seen;
  for (const int num_ranks : {1, 2}) {
    std::vector<Changes> results(static_cast<size_t>(num_ranks));
    testing::run_ranks(num_ranks, [&](Communicator& comm) {
      results[static_cast<size_t>(comm.rank())] = learn(1e-3, in_proportion(400), comm);
    });
    seen.insert(seen.end(), results.begin(), results.end());
  }
  for (const Changes& changes : seen) EXPECT_EQ(changes, seen[0]);
}

TEST_F(LearnerRescoreTest, IsAnOption) {
  const auto comm = make_self_communicator();
  Model policy = testing::tiny_model(5);
  LearnerConfig config;
  Learner learner(config, policy, nullptr, *comm, kTemperature, 1, 100, 9);
  Batch batch = make_batch({1, 2, 3});
  learner.score(batch);
  EXPECT_EQ(learner.update(batch).find("entropy_ctrl/delta_first_order"), nullptr);
}

}  // namespace
}  // namespace covrl
