// Every policy loss against what the published implementations computed.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "core/error.h"
#include "rl/loss/objective.h"
#include "rl/loss/ratio.h"
#include "rl/loss/reduction.h"
#include "tests/support/torch/objective_paths.h"
#include "tests/support/vectors.h"

namespace covrl {
namespace {

using testing::ObjectivePath;

PolicyLossConfig config_of(const Json& result) {
  PolicyLossConfig config;
  config.clip_ratio_low = result["clip_low"].get<double>();
  config.clip_ratio_high = result["clip_high"].get<double>();
  config.clip_ratio_c = result.value("clip_c", 0.0);
  return config;
}

struct VectorCase {
  std::string name;
  std::vector<int64_t> offsets;
  LossInput input;
  ReductionCounts counts;
  testing::Tolerance tolerance;

  explicit VectorCase(const Json& one_case)
      : name(one_case["name"].get<std::string>()), tolerance(testing::vector_tolerance(one_case)) {
    const Json& inputs = one_case["inputs"];
    const at::ScalarType dtype = testing::vector_dtype(one_case);
    offsets = testing::vector_offsets(inputs["log_prob"]);
    input = {testing::vector_tensor(inputs["log_prob"], dtype).requires_grad_(),
             testing::vector_tensor(inputs["old_log_prob"], dtype),
             testing::vector_tensor(inputs["advantages"], dtype),
             testing::vector_mask(inputs["response_mask"]), offsets};
    const at::Tensor rows = input.mask_T.view({static_cast<int64_t>(offsets.size()) - 1, -1});
    counts = {rows.sum().item<double>(), rows.any(1).sum().item<double>(),
              static_cast<double>(offsets[1])};
  }

  // Value and gradient of `factor` times the reduced loss.
  struct Value {
    double loss;
    at::Tensor gradient, sums;
  };
  Value value(const PolicyLoss& policy_loss, const std::string& mode, double factor,
              const at::Tensor& rollout_weight_T = {}) const {
    ObjectiveInput all;
    all.policy = input;
    all.entropy_T = at::zeros_like(input.old_logprob_T);
    all.weight_T = reduction_weights(mode, input.mask_T, offsets, counts);
    all.rollout_weight_T = rollout_weight_T;
    const ObjectiveValue result = objective({}, policy_loss, ControlStack({}), all);
    const at::Tensor loss = factor * result.loss;
    loss.backward();
    const at::Tensor gradient = input.logprob_T.grad().clone();
    input.logprob_T.mutable_grad().reset();
    return {loss.item<double>(), gradient, result.sums};
  }
  double mean(const Value& of, ObjectiveSum sum) const {
    return of.sums[static_cast<int64_t>(sum)].item<double>() / counts.num_tokens;
  }
};

// The references add 1e-8 to the number of tokens: in every mean of the fork, in verl's means of a
// row and of the metrics. A mean over rows may cancel, so that this is an absolute error there.
testing::Tolerance with_added_tokens(testing::Tolerance tolerance, const std::string& mode = "") {
  tolerance.relative = std::max(tolerance.relative, 1.1e-8);
  if (mode == "seq-mean-token-mean") tolerance.absolute = std::max(tolerance.absolute, 1e-8);
  return tolerance;
}

void check_result(const VectorCase& one, const Json& result, ObjectivePath path) {
  const std::string mode = result["agg"].get<std::string>();
  const std::string what = concat(one.name, ' ', result["impl"].get<std::string>(), ' ', mode);
  const bool is_fork = !result.contains("clip_c");
  const testing::Tolerance of_metrics = with_added_tokens(one.tolerance);
  const testing::Tolerance of_loss = is_fork || mode == "seq-mean-token-mean"
                                         ? with_added_tokens(one.tolerance, mode)
                                         : one.tolerance;
  // The recorded form of this mode is not divided by the number of sequences.
  const double factor = mode == "seq-mean-token-sum-norm" ? one.counts.num_sequences : 1;
  const VectorCase::Value seen =
      one.value(*testing::make_policy_loss(config_of(result), path), mode, factor);
  if (one.counts.num_tokens == 0) {  // the references give NaN or 0
    EXPECT_EQ(seen.loss, 0) << what;
    EXPECT_TRUE(seen.gradient.equal(at::zeros_like(seen.gradient))) << what;
    return;
  }
  testing::expect_close(seen.loss, testing::vector_number(result["loss"]), of_loss, what);
  testing::expect_close(one.mean(seen, ObjectiveSum::kClipped),
                        testing::vector_number(result["pg_clipfrac"]), of_metrics, what);
  testing::expect_close(one.mean(seen, ObjectiveSum::kOldMinusNew),
                        testing::vector_number(result["ppo_kl"]), of_metrics, what);
  if (result.contains("pg_clipfrac_lower"))
    testing::expect_close(one.mean(seen, ObjectiveSum::kDualClipped),
                          testing::vector_number(result["pg_clipfrac_lower"]), of_metrics, what);
  if (result.contains("grad_log_prob"))
    testing::expect_close(seen.gradient, testing::vector_tensor(result["grad_log_prob"]),
                          at::ones_like(one.input.mask_T), of_loss, what);
}

class PolicyLossVectorsTest : public testing::ObjectivePathTest {};
INSTANTIATE_TEST_SUITE_P(Paths, PolicyLossVectorsTest, testing::objective_paths());

TEST_P(PolicyLossVectorsTest, ClipEqualsTheReferenceVectors) {
  COVRL_REQUIRE_VECTORS(path, "policy_vanilla");
  int num_checked = 0, num_skipped = 0;
  for (const Json& one_case : testing::vector_cases(path)) {
    const VectorCase one(one_case);
    for (const Json& result : one_case["results"]) {
      // The fork does not bound the log-ratio: at +-30 its loss is another function.
      if (!result.contains("clip_c") && one.name.find("extreme") != std::string::npos) {
        ++num_skipped;
        continue;
      }
      check_result(one, result, GetParam());
      ++num_checked;
    }
  }
  EXPECT_GT(num_checked, 0);
  std::cout << "policy_vanilla: " << num_checked << " results checked, " << num_skipped
            << " of unbounded log-ratio left out\n";
}

// What one column of policy_other.json or verl_latest.json was made with.
struct Recorded {
  PolicyLossConfig config;
  std::string mode;  // of reduction
  at::Tensor rollout_weight_T;
  std::string what;
};

double number_or(const Json& values, const char* key, double otherwise) {
  return values.contains(key) ? testing::vector_number(values[key]) : otherwise;
}

Recorded recorded(const VectorCase& one, const Json& one_case, const Json& result) {
  Recorded made;
  const Json& params = result["params"];
  const std::string name = result.contains("mode") ? result["mode"].get<std::string>()
                                                   : result["loss_mode"].get<std::string>();
  PolicyLossConfig& config = made.config;
  config.kind = name == "vanilla_with_is_weights" ? "clip" : name;
  config.clip_ratio_low = number_or(params, params.contains("lo") ? "lo" : "clip_low", 0.2);
  config.clip_ratio_high = number_or(params, params.contains("hi") ? "hi" : "clip_high", 0.2);
  if (params.contains("c")) config.clip_ratio_c = testing::vector_number(params["c"]);
  config.sapo_tau_pos = number_or(params, "tau_pos", 1);
  config.sapo_tau_neg = number_or(params, "tau_neg", 1.05);
  made.mode = params.value("agg", "token-mean");
  if (config.traits().of_sequence) made.mode = "seq-mean-token-mean";
  if (result.value("use_is_weights", false))
    made.rollout_weight_T = testing::vector_tensor(one_case["inputs"]["rollout_is_weights"],
                                                   testing::vector_dtype(one_case));
  made.what = concat(one.name, ' ', name, made.rollout_weight_T.defined() ? " weighted" : "");
  return made;
}

// Whether a log-ratio lies where some references bound it and others do not.
bool is_extreme(const VectorCase& one) {
  return one.counts.num_tokens > 0 && log_ratio(one.input).abs().max().item<double>() > 20;
}

// verl adds 1e-8 to the lengths of rows, and in geo_mean to those of three means.
testing::Tolerance loss_tolerance(const VectorCase& one, const Recorded& made) {
  testing::Tolerance tolerance = one.tolerance;
  if (made.mode == "seq-mean-token-mean") tolerance = with_added_tokens(tolerance, made.mode);
  if (made.config.kind == "geo_mean" && tolerance.relative < 4e-8) tolerance = {4e-8, 4e-8};
  return tolerance;
}

void check_metrics(const VectorCase& one, const Recorded& made, const VectorCase::Value& seen,
                   const Json& result) {
  const testing::Tolerance tolerance = with_added_tokens(one.tolerance);
  const Json metrics = result.value("metrics", Json::object());
  // geo_mean's reference also counts tokens whose clip its minimum does not choose.
  if (metrics.contains("pg_clipfrac") && made.config.kind != "geo_mean")
    testing::expect_close(one.mean(seen, ObjectiveSum::kClipped),
                          testing::vector_number(metrics["pg_clipfrac"]), tolerance,
                          made.what + " pg_clipfrac");
  if (metrics.contains("ppo_kl") && !is_extreme(one))
    testing::expect_close(one.mean(seen, ObjectiveSum::kOldMinusNew),
                          testing::vector_number(metrics["ppo_kl"]), tolerance,
                          made.what + " ppo_kl");
}

void check_recorded(const VectorCase& one, const Recorded& made, const Json& result,
                    ObjectivePath path) {
  // The reference's geo_mean is a mean over all rows: one without tokens dilutes it. Ours is over
  // the sequences that have tokens.
  const double factor = made.config.kind == "geo_mean"
                            ? one.counts.num_sequences / static_cast<double>(one.offsets.size() - 1)
                            : 1;
  const VectorCase::Value seen = one.value(*testing::make_policy_loss(made.config, path), made.mode,
                                           factor, made.rollout_weight_T);
  if (one.counts.num_tokens == 0) {  // the references give NaN or 0
    EXPECT_EQ(seen.loss, 0) << made.what;
    EXPECT_TRUE(seen.gradient.equal(at::zeros_like(seen.gradient))) << made.what;
    return;
  }
  const testing::Tolerance tolerance = loss_tolerance(one, made);
  testing::expect_close(seen.loss, testing::vector_number(result["loss"]), tolerance, made.what);
  if (result.contains("grad_log_prob"))
    testing::expect_close(seen.gradient, testing::vector_tensor(result["grad_log_prob"]),
                          at::ones_like(one.input.mask_T), tolerance, made.what + " gradient");
  check_metrics(one, made, seen, result);
}

// Every result of the file whose loss is known here; how many that are.
int check_recorded_file(const std::string& path, const std::string& file,
                        ObjectivePath objective_path) {
  int num_checked = 0;
  std::map<std::string, int> left_out;
  for (const Json& one_case : testing::vector_cases(path)) {
    if (one_case.value("kind", "policy") != "policy") continue;
    const VectorCase one(one_case);
    for (const Json& result : one_case["results"]) {
      const std::vector<std::string> known = policy_loss_names();
      const std::string name = result.contains("mode") ? result["mode"].get<std::string>()
                                                       : result["loss_mode"].get<std::string>();
      if (name != "vanilla_with_is_weights" &&
          std::find(known.begin(), known.end(), name) == known.end()) {
        ++left_out[name + ", which is not a loss here"];
        continue;
      }
      const Recorded made = recorded(one, one_case, result);
      // The reference does not bound the exponent of this one.
      if (name == "geo_mean" && is_extreme(one)) {
        ++left_out["geo_mean of unbounded log-ratio"];
        continue;
      }
      check_recorded(one, made, result, objective_path);
      ++num_checked;
    }
  }
  std::cout << file << ": " << num_checked << " results checked\n";
  for (const auto& [what, count] : left_out)
    std::cout << file << ": " << count << " left out: " << what << "\n";
  return num_checked;
}

TEST_P(PolicyLossVectorsTest, OtherLossesEqualTheReferenceVectors) {
  COVRL_REQUIRE_VECTORS(path, "policy_other");
  EXPECT_GT(check_recorded_file(path, "policy_other", GetParam()), 0);
}

TEST_P(PolicyLossVectorsTest, DivergenceMasksEqualTheReferenceVectors) {
  COVRL_REQUIRE_VECTORS(path, "verl_latest");
  EXPECT_GT(check_recorded_file(path, "verl_latest", GetParam()), 0);
}

}  // namespace
}  // namespace covrl
