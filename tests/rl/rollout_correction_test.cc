#include "rl/rollout_correction.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>
#include <iostream>
#include <map>

#include "core/error.h"
#include "rl/estimate.h"
#include "tests/support/vectors.h"

namespace covrl {
namespace {

std::vector<double> numbers(const Json& matrix) {
  std::vector<double> result;
  testing::append_numbers(matrix, result);
  return result;
}

RolloutMismatch make_mismatch(const Json& mask, std::vector<double> old_logprob,
                              std::vector<double> behaviour_logprob) {
  RolloutMismatch mismatch;
  mismatch.cu_seqlens = testing::vector_offsets(mask);
  for (double value : numbers(mask)) mismatch.mask.push_back(value != 0);
  mismatch.old_logprob = std::move(old_logprob);
  mismatch.behaviour_logprob = std::move(behaviour_logprob);
  // Nothing outside the mask is read.
  for (size_t t = 0; t < mismatch.mask.size(); ++t)
    if (!mismatch.mask[t]) mismatch.old_logprob[t] = std::nan("");
  return mismatch;
}

RolloutMismatch mismatch_of(const Json& one_case) {
  return make_mismatch(one_case["response_mask"], numbers(one_case["old_log_prob"]),
                       numbers(one_case["rollout_log_prob"]));
}

struct Counts {
  double num_rows = 0, num_sequences = 0;  // all, and those with tokens
  explicit Counts(const RolloutMismatch& mismatch) {
    for (size_t n = 0; n < mismatch.num_sequences(); ++n) {
      num_rows += 1;
      num_sequences += !mismatch.entries(n).empty();
    }
  }
};

// The reference adds 1e-8 to every count that it divides by, several times over in a metric.
testing::Tolerance with_added_counts(const Json& one_case) {
  testing::Tolerance tolerance = testing::vector_tolerance(one_case);
  tolerance.relative = std::max(tolerance.relative, 4e-8);
  tolerance.absolute = std::max(tolerance.absolute, 1e-8);
  return tolerance;
}

void expect_weights(const std::vector<double>& seen, const Json& wanted,
                    const RolloutMismatch& mismatch, const testing::Tolerance& tolerance,
                    const std::string& what) {
  const std::vector<double> numbers_wanted = numbers(wanted);
  ASSERT_EQ(seen.size(), numbers_wanted.size());
  for (size_t t = 0; t < seen.size(); ++t)
    testing::expect_close(seen[t], mismatch.mask[t] ? numbers_wanted[t] : 0, tolerance,
                          concat(what, " [", t, "]"));
}

TEST(RolloutCorrectionTest, WeightsEqualTheReferenceVectors) {
  COVRL_REQUIRE_VECTORS(path, "rollout_correction");
  int num_checked = 0;
  for (const Json& one_case : testing::vector_cases(path)) {
    const RolloutMismatch mismatch = mismatch_of(one_case);
    for (const Json& result : one_case["is_weights"]) {
      RolloutCorrectionConfig config;
      config.rollout_is = result["level"].get<std::string>();
      config.rollout_is_threshold = testing::vector_number(result["threshold"]);
      config.rollout_is_batch_normalize = result["batch_normalize"].get<bool>();
      Metrics metrics;
      const std::string what = concat(one_case["name"].get<std::string>(), ' ', config.rollout_is,
                                      ' ', config.rollout_is_threshold,
                                      config.rollout_is_batch_normalize ? " normalised" : "");
      const testing::Tolerance exact = testing::vector_tolerance(one_case),
                               counted = with_added_counts(one_case);
      expect_weights(importance_weights(config, mismatch, metrics), result["weights"], mismatch,
                     config.rollout_is_batch_normalize ? counted : exact, what);
      testing::expect_close(metrics.at("rollout_corr/rollout_is_mean"),
                            testing::vector_number(result["mean"]), counted, what + " mean");
      testing::expect_close(metrics.at("rollout_corr/rollout_is_eff_sample_size"),
                            testing::vector_number(result["eff_sample_size"]), counted,
                            what + " effective sample size");
      ++num_checked;
    }
  }
  EXPECT_GT(num_checked, 0);
  std::cout << "rollout_correction, weights: " << num_checked << " results checked\n";
}

TEST(RolloutCorrectionTest, IcePopEqualsTheReferenceVectors) {
  COVRL_REQUIRE_VECTORS(path, "verl_latest");
  int num_checked = 0;
  for (const Json& one_case : testing::vector_cases(path)) {
    if (one_case["kind"] != "rollout_is") continue;
    const std::vector<double> log_ratio = numbers(one_case["log_ratio"]);
    const RolloutMismatch mismatch = make_mismatch(one_case["response_mask"], log_ratio,
                                                   std::vector<double>(log_ratio.size(), 0.0));
    for (const Json& result : one_case["results"]) {
      RolloutCorrectionConfig config;
      config.rollout_is = result["level"].get<std::string>();
      config.rollout_is_batch_normalize = result["batch_normalize"].get<bool>();
      if (result["threshold"].is_string()) {
        const std::string text = result["threshold"].get<std::string>();
        const size_t separator = text.find('_');
        config.rollout_is_threshold_low = std::stod(text.substr(0, separator));
        config.rollout_is_threshold = std::stod(text.substr(separator + 1));
      } else {
        config.rollout_is_threshold = testing::vector_number(result["threshold"]);
      }
      Metrics metrics;
      expect_weights(importance_weights(config, mismatch, metrics), result["weights"], mismatch,
                     config.rollout_is_batch_normalize ? with_added_counts(one_case)
                                                       : testing::vector_tolerance(one_case),
                     concat(config.rollout_is, ' ', config.rollout_is_threshold_low, ' ',
                            config.rollout_is_threshold, ' ', config.rollout_is_batch_normalize));
      ++num_checked;
    }
  }
  EXPECT_GT(num_checked, 0);
  std::cout << "verl_latest, rollout_is: " << num_checked << " results checked\n";
}

std::vector<std::string> split(const std::string& text) {
  std::vector<std::string> parts = {""};
  for (char c : text)
    if (c == ',')
      parts.emplace_back();
    else
      parts.back() += c;
  return parts;
}

TEST(RolloutCorrectionTest, RejectionEqualsTheReferenceVectors) {
  COVRL_REQUIRE_VECTORS(path, "rollout_correction");
  int num_checked = 0;
  for (const Json& one_case : testing::vector_cases(path)) {
    const RolloutMismatch mismatch = mismatch_of(one_case);
    const Counts counts(mismatch);
    for (const Json& result : one_case["rejection"]) {
      const Json& threshold = result["threshold"];
      RolloutCorrectionConfig config;
      config.rollout_rs = split(result["rollout_rs"].get<std::string>());
      config.rollout_rs_threshold = split(threshold.is_string() ? threshold.get<std::string>()
                                                                : concat(threshold.get<double>()));
      const std::string what =
          concat(one_case["name"].get<std::string>(), ' ', result["rollout_rs"].get<std::string>());
      Metrics metrics;
      const std::vector<uint8_t> stays = accepted_tokens(config, mismatch, metrics);
      const std::vector<double> wanted = numbers(result["mask"]);
      for (size_t t = 0; t < stays.size(); ++t) EXPECT_EQ(stays[t], wanted[t]) << what << t;
      const testing::Tolerance tolerance = with_added_counts(one_case);
      testing::expect_close(metrics.at("rollout_corr/rollout_rs_masked_fraction"),
                            testing::vector_number(result["masked_fraction"]), tolerance, what);
      // The reference's share is of all rows, those without tokens included.
      testing::expect_close(metrics.at("rollout_corr/rollout_rs_seq_masked_fraction") *
                                counts.num_sequences / counts.num_rows,
                            testing::vector_number(result["seq_masked_fraction"]), {4e-8, 4e-8},
                            what);
      ++num_checked;
    }
  }
  EXPECT_GT(num_checked, 0);
  std::cout << "rollout_correction, rejection: " << num_checked << " results checked\n";
}

TEST(RolloutCorrectionTest, MetricsEqualTheReferenceVectors) {
  COVRL_REQUIRE_VECTORS(path, "rollout_correction");
  int num_checked = 0;
  for (const Json& one_case : testing::vector_cases(path)) {
    const RolloutMismatch mismatch = mismatch_of(one_case);
    const Counts counts(mismatch);
    const double share = counts.num_sequences / counts.num_rows;
    Metrics metrics;
    add_mismatch_metrics(mismatch, metrics);
    // The reference's means over sequences are over all rows, and a row without tokens counts as
    // one of this value.
    const std::map<std::string, double> of_empty_row = {{"training_ppl", 1},
                                                        {"rollout_ppl", 1},
                                                        {"log_ppl_diff", 0},
                                                        {"log_ppl_abs_diff", 0},
                                                        {"chi2_seq", 0}};
    for (const char* name : {"kl", "k3_kl", "chi2_token", "training_ppl", "rollout_ppl",
                             "log_ppl_diff", "log_ppl_abs_diff", "chi2_seq"}) {
      double seen = metrics.at(concat("rollout_corr/", name));
      if (const auto row = of_empty_row.find(name); row != of_empty_row.end())
        seen = seen * share + row->second * (1 - share);
      testing::expect_close(seen, testing::vector_number(one_case["offpolicy"][name]),
                            with_added_counts(one_case), name);
      ++num_checked;
    }
  }
  EXPECT_GT(num_checked, 0);
  std::cout << "rollout_correction, metrics: " << num_checked << " results checked\n";
}

// Two prompts with two completions of three tokens.
Batch make_batch(const std::vector<float>& log_ratio) {
  std::vector<Group> groups(2);
  for (size_t g = 0; g < 2; ++g) {
    groups[g].slot = g;
    groups[g].prompt.tokens = {1, 2};
    for (int i = 0; i < 2; ++i) {
      Trajectory& trajectory = groups[g].trajectories.emplace_back();
      trajectory.tokens = {3, 4, 5};
      trajectory.behaviour_logprob = {-1, -1, -1};
      trajectory.finish_reason = FinishReason::kStop;
      trajectory.verdict.outcome = i == 0 ? Outcome::kCorrect : Outcome::kWrong;
      trajectory.reward = i == 0 ? 1 : 0;
    }
  }
  Batch batch = Batch::pack(1, groups);
  at::Tensor logprob = batch.behaviour_logprob_T.clone();
  logprob.masked_scatter_(batch.loss_mask_T,
                          batch.behaviour_logprob_T.masked_select(batch.loss_mask_T) +
                              at::tensor(log_ratio, at::kFloat));
  batch.old_logprob_T.set(logprob);
  return batch;
}

TEST(CorrectRolloutTest, LeavesABatchThatAgreesAsItIs) {
  Batch batch = make_batch(std::vector<float>(12, 0.0f));
  const at::Tensor mask = batch.loss_mask_T.clone();
  Metrics metrics;
  RolloutCorrectionConfig config;
  correct_rollout(config, batch, metrics);
  EXPECT_FALSE(batch.rollout_weight_T.filled());
  EXPECT_EQ(metrics.at("rollout_corr/kl"), 0);
  EXPECT_EQ(metrics.at("rollout_corr/chi2_seq"), 0);
  config.rollout_is = "sequence";
  config.rollout_rs = {"seq_mean_k1", "token_k3"};
  config.rollout_rs_threshold = {"0.999_1.001", "0.01"};
  correct_rollout(config, batch, metrics);
  EXPECT_TRUE(batch.rollout_weight_T.get().equal(mask.to(at::kFloat)));
  EXPECT_TRUE(batch.loss_mask_T.equal(mask));
  EXPECT_EQ(metrics.at("rollout_corr/rollout_is_eff_sample_size"), 1);
}

TEST(CorrectRolloutTest, RejectedTokensTakeNoPart) {
  // The last token of the first completion and the whole third completion differ.
  Batch batch = make_batch({0, 0, 1, 0, 0, 0, 0.4f, 0.4f, 0.4f, 0, 0, 0});
  RolloutCorrectionConfig config;
  config.rollout_rs = {"token_k1", "seq_sum_k1"};
  config.rollout_rs_threshold = {"0.5_2", "0.33_3"};
  Metrics metrics;
  correct_rollout(config, batch, metrics);
  EXPECT_EQ(batch.loss_mask_T.sum().item<int64_t>(), 8);
  EXPECT_NEAR(metrics.at("rollout_corr/rollout_rs_masked_fraction"), 4.0 / 12, 1e-12);
  EXPECT_NEAR(metrics.at("rollout_corr/rollout_rs_seq_masked_fraction"), 0.5, 1e-12);
  // The first completion keeps its reward although its last token is out; the third has no part in
  // its group, whose other completion is then alone.
  RewardKl no_penalty({});
  estimate_advantages(batch, *make_advantage({}), no_penalty, Truncated::kLearned, metrics);
  const at::Tensor advantage = batch.advantage_T.get().masked_select(batch.loss_mask_T);
  EXPECT_GT(advantage[0].item<float>(), 0.5);
  EXPECT_LT(advantage[2].item<float>(), -0.5);
  EXPECT_EQ(advantage[7].item<float>(), 0);
}

TEST(CorrectRolloutTest, BypassTakesTheSamplersLogProbs) {
  Batch batch = make_batch({0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0});
  RolloutCorrectionConfig config;
  config.bypass_mode = true;
  Metrics metrics;
  correct_rollout(config, batch, metrics);
  EXPECT_TRUE(batch.old_is_behaviour);
  EXPECT_TRUE(batch.old_logprob_T.get().equal(batch.behaviour_logprob_T));
  EXPECT_NEAR(metrics.at("rollout_corr/kl"), -1.0 / 12, 1e-7);
}

TEST(RolloutCorrectionTest, ExtremeAndEmptyStayFinite) {
  RolloutMismatch mismatch;
  mismatch.cu_seqlens = {0, 2, 2, 4};
  mismatch.mask = {1, 1, 0, 0};
  mismatch.old_logprob = {-1e4, 0, 0, 0};
  mismatch.behaviour_logprob = {0, -1e4, 0, 0};
  RolloutCorrectionConfig config;
  config.rollout_is_batch_normalize = true;
  for (const char* level : {"token", "sequence"})
    for (double low : {0.0, 1.5}) {
      config.rollout_is = level;
      config.rollout_is_threshold_low = low;
      for (uint8_t inside : {1, 0}) {
        mismatch.mask[0] = mismatch.mask[1] = inside;
        Metrics metrics;
        for (double weight : importance_weights(config, mismatch, metrics))
          EXPECT_TRUE(std::isfinite(weight));
        add_mismatch_metrics(mismatch, metrics);
        for (const auto& [name, value] : metrics.entries())
          EXPECT_TRUE(std::isfinite(value)) << name;
      }
    }
}

TEST(RolloutCorrectionConfigTest, RefusesWhatDoesNotFit) {
  const auto load = [](const std::vector<std::string>& overrides) {
    RolloutCorrectionConfig config;
    config::load({{}, overrides}, [&](config::Visitor& v) { config.describe(v); });
    return config;
  };
  EXPECT_EQ(load({"rollout_is=token", "rollout_is_threshold_low=0.5"}).rollout_is_threshold_low,
            0.5);
  EXPECT_EQ(load({"rollout_rs=[seq_sum_k1, token_k3]", "rollout_rs_threshold=[0.5_2.0, \"0.01\"]"})
                .rollout_rs_threshold.size(),
            2);
  for (const std::vector<std::string>& overrides : std::vector<std::vector<std::string>>{
           {"rollout_is_threshold=3"},
           {"rollout_is_batch_normalize=true"},
           {"rollout_is=token", "rollout_is_threshold_low=2"},
           {"rollout_is=token", "bypass_mode=true"},
           {"rollout_rs=[token_k4]", "rollout_rs_threshold=[\"1\"]"},
           {"rollout_rs=[token_k1]"},
           {"rollout_rs_threshold=[0.5_2.0]"},
           {"rollout_rs=[token_k1]", "rollout_rs_threshold=[2.0_0.5]"},
           {"rollout_rs=[token_k2]", "rollout_rs_threshold=[0.5_2.0]"},
           {"rollout_rs=[token_k3]", "rollout_rs_threshold=[\"-1\"]"}})
    EXPECT_THROW(load(overrides), Error) << overrides[0];
}

}  // namespace
}  // namespace covrl
