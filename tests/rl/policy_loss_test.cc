#include "rl/loss/policy_loss.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>

#include "core/error.h"
#include "rl/loss/ratio.h"
#include "rl/loss/reduction.h"
#include "tests/support/vectors.h"

namespace covrl {
namespace {

at::Tensor doubles(std::vector<double> values) { return at::tensor(values, at::kDouble); }

// Tokens without gradient history, all inside the mask.
LossInput make_input(std::vector<double> logprob, std::vector<double> old_logprob,
                     std::vector<double> advantage) {
  const int64_t count = static_cast<int64_t>(logprob.size());
  return {doubles(std::move(logprob)).requires_grad_(),
          doubles(std::move(old_logprob)),
          doubles(std::move(advantage)),
          at::ones({count}, at::kBool),
          {0, count}};
}

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
             testing::vector_mask(inputs["response_mask"])};
    const at::Tensor rows = input.mask_T.view({static_cast<int64_t>(offsets.size()) - 1, -1});
    counts = {rows.sum().item<double>(), rows.any(1).sum().item<double>(),
              static_cast<double>(offsets[1])};
  }

  double mean(const at::Tensor& term) const {
    return counts.num_tokens == 0
               ? 0
               : at::where(input.mask_T, term.to(at::kDouble), 0.0).sum().item<double>() /
                     counts.num_tokens;
  }
};

// The references add 1e-8 to the number of tokens: in every mean of the fork, in verl's means of a
// row and of the metrics. A mean over rows may cancel, so that this is an absolute error there.
testing::Tolerance with_added_tokens(testing::Tolerance tolerance, const std::string& mode = "") {
  tolerance.relative = std::max(tolerance.relative, 1.1e-8);
  if (mode == "seq-mean-token-mean") tolerance.absolute = std::max(tolerance.absolute, 1e-8);
  return tolerance;
}

void check_result(const VectorCase& one, const Json& result) {
  const std::string mode = result["agg"].get<std::string>();
  const std::string what = concat(one.name, ' ', result["impl"].get<std::string>(), ' ', mode);
  const bool is_fork = !result.contains("clip_c");
  const testing::Tolerance of_metrics = with_added_tokens(one.tolerance);
  const testing::Tolerance of_loss = is_fork || mode == "seq-mean-token-mean"
                                         ? with_added_tokens(one.tolerance, mode)
                                         : one.tolerance;
  const LossTerms terms = make_policy_loss(config_of(result))->terms(one.input);
  at::Tensor loss =
      reduce(terms.loss_T, reduction_weights(mode, one.input.mask_T, one.offsets, one.counts));
  // The recorded form of this mode is not divided by the number of sequences.
  if (mode == "seq-mean-token-sum-norm") loss = loss * one.counts.num_sequences;
  loss.backward();
  const at::Tensor gradient = one.input.logprob_T.grad().clone();
  one.input.logprob_T.mutable_grad().reset();
  if (one.counts.num_tokens == 0) {  // the references give NaN or 0
    EXPECT_EQ(loss.item<double>(), 0) << what;
    EXPECT_TRUE(gradient.equal(at::zeros_like(gradient))) << what;
    return;
  }
  testing::expect_close(loss.item<double>(), testing::vector_number(result["loss"]), of_loss, what);
  testing::expect_close(one.mean(terms.clipped_T), testing::vector_number(result["pg_clipfrac"]),
                        of_metrics, what);
  testing::expect_close(one.mean(-bounded_log_ratio(one.input)),
                        testing::vector_number(result["ppo_kl"]), of_metrics, what);
  if (result.contains("pg_clipfrac_lower"))
    testing::expect_close(one.mean(terms.dual_clipped_T),
                          testing::vector_number(result["pg_clipfrac_lower"]), of_metrics, what);
  if (result.contains("grad_log_prob"))
    testing::expect_close(gradient, testing::vector_tensor(result["grad_log_prob"]),
                          at::ones_like(one.input.mask_T), of_loss, what);
}

TEST(ClipLossTest, EqualsTheReferenceVectors) {
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
      check_result(one, result);
      ++num_checked;
    }
  }
  EXPECT_GT(num_checked, 0);
  std::cout << "policy_vanilla: " << num_checked << " results checked, " << num_skipped
            << " of unbounded log-ratio left out\n";
}

TEST(ClipLossTest, RatioIsExactlyOneOnPolicy) {
  const LossInput input =
      make_input({-0.123, -7.5, -1e-9}, {-0.123, -7.5, -1e-9}, {1.5, -2.0, 0.0});
  const LossTerms terms = make_policy_loss({})->terms(input);
  EXPECT_TRUE(terms.loss_T.equal(-input.advantage_T));
  EXPECT_FALSE(terms.clipped_T.any().item<bool>());
  terms.loss_T.sum().backward();
  EXPECT_TRUE(input.logprob_T.grad().equal(-input.advantage_T));
}

TEST(ClipLossTest, ClipsEachSideAtItsOwnBound) {
  // Ratios e^0.5 and e^-0.5 with advantages of both signs; only a move in the direction of the
  // advantage is clipped.
  const LossInput input = make_input({0.5, 0.5, -0.5, -0.5}, {0, 0, 0, 0}, {1, -1, 1, -1});
  PolicyLossConfig config;
  config.clip_ratio_low = 0.1;
  config.clip_ratio_high = 0.3;
  const LossTerms terms = make_policy_loss(config)->terms(input);
  EXPECT_TRUE(at::allclose(terms.loss_T, doubles({-1.3, std::exp(0.5), -std::exp(-0.5), 0.9}),
                           1e-14, 1e-14));
  EXPECT_TRUE(terms.clipped_T.equal(at::tensor({1, 0, 0, 1}, at::kLong).to(at::kBool)));
  terms.loss_T.sum().backward();
  EXPECT_TRUE(at::allclose(input.logprob_T.grad(), doubles({0, std::exp(0.5), -std::exp(-0.5), 0}),
                           1e-14, 1e-14));
}

TEST(ClipLossTest, DualClipBoundsNegativeAdvantages) {
  const LossInput input = make_input({2, 2}, {0, 0}, {-1, 1});
  PolicyLossConfig config;
  config.clip_ratio_c = 3;
  const LossTerms terms = make_policy_loss(config)->terms(input);
  EXPECT_TRUE(terms.loss_T.equal(doubles({3, -1.2})));
  EXPECT_TRUE(terms.dual_clipped_T.equal(at::tensor({1, 0}, at::kLong).to(at::kBool)));
  config.clip_ratio_c = 0;
  EXPECT_DOUBLE_EQ(make_policy_loss(config)->terms(input).loss_T[0].item<double>(), std::exp(2.0));
}

TEST(ClipLossTest, StaysFiniteAtAnyRatio) {
  for (double c : {0.0, 3.0}) {
    const LossInput input = make_input({0, 0, -1e4, -1e4}, {-1e4, -1e4, 0, 0}, {1, -1, 1, -1});
    PolicyLossConfig config;
    config.clip_ratio_c = c;
    const LossTerms terms = make_policy_loss(config)->terms(input);
    EXPECT_TRUE(at::isfinite(terms.loss_T).all().item<bool>());
    terms.loss_T.sum().backward();
    EXPECT_TRUE(input.logprob_T.grad().equal(at::zeros({4}, at::kDouble)));
  }
}

TEST(ClipLossTest, NothingOutsideTheMaskIsRead) {
  for (const std::string& kind : policy_loss_names()) {
    const double nan = std::nan("");
    LossInput input = make_input({-1, nan, -1, INFINITY}, {-1.1, -1, nan, -1}, {1, 1, 1, nan});
    input.mask_T = at::tensor({1, 0, 0, 0}, at::kLong).to(at::kBool);
    PolicyLossConfig config;
    config.kind = kind;
    const at::Tensor loss =
        reduce(make_policy_loss(config)->terms(input).loss_T,
               reduction_weights("token-mean", input.mask_T, {0, 4}, {1, 1, 4}));
    loss.backward();
    EXPECT_TRUE(std::isfinite(loss.item<double>())) << kind;
    const at::Tensor gradient = input.logprob_T.grad();
    EXPECT_NE(gradient[0].item<double>(), 0) << kind;
    EXPECT_TRUE(gradient.slice(0, 1).equal(at::zeros({3}, at::kDouble))) << kind << gradient;
  }
}

TEST(PolicyLossTableTest, UnknownKindIsRefused) {
  EXPECT_THROW(make_policy_loss({.kind = "klip"}), Error);
}

TEST(PolicyLossConfigTest, RefusesADualClipInsideTheClipRange) {
  PolicyLossConfig config;
  const auto describe = [&](config::Visitor& v) { config.describe(v); };
  config::load({{}, {"clip_ratio_low=0.1", "clip_ratio_c=0"}}, describe);
  EXPECT_EQ(config.clip_ratio_low, 0.1);
  EXPECT_THROW(config::load({{}, {"clip_ratio_c=1.1"}}, describe), Error);
  EXPECT_THROW(config::load({{}, {"clip_ratio_low=1.5"}}, describe), Error);
}

}  // namespace
}  // namespace covrl
