// Clip-Cov and KL-Cov through the real objective against the reference implementations' numbers:
// selections, losses and gradients.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "entropy/control_stack.h"
#include "entropy/covariance.h"
#include "rl/loss/objective.h"
#include "rl/loss/reduction.h"
#include "tests/support/torch/objective_paths.h"
#include "tests/support/vectors.h"

namespace covrl {
namespace {

using testing::ObjectivePath;
using Places = std::set<int64_t>;

// A case's matrices, flattened row by row.
struct VectorCase {
  std::string name;
  std::vector<int64_t> offsets;
  at::Tensor logprob, old_logprob, advantage, mask, micro_batch;
  ReductionCounts counts;
  testing::Tolerance tolerance;

  explicit VectorCase(const Json& one_case)
      : name(one_case["name"].get<std::string>()), tolerance(testing::vector_tolerance(one_case)) {
    const Json& inputs = one_case["inputs"];
    const at::ScalarType dtype = testing::vector_dtype(one_case);
    offsets = testing::vector_offsets(inputs["log_prob"]);
    logprob = testing::vector_tensor(inputs["log_prob"], dtype).requires_grad_();
    old_logprob = testing::vector_tensor(inputs["old_log_prob"], dtype);
    advantage = testing::vector_tensor(inputs["advantages"], dtype);
    mask = testing::vector_mask(inputs["response_mask"]);
    micro_batch = at::zeros({mask.numel()}, at::kLong);
    const at::Tensor rows = mask.view({static_cast<int64_t>(offsets.size()) - 1, -1});
    counts = {rows.sum().item<double>(), rows.any(1).sum().item<double>(),
              static_cast<double>(offsets[1])};
  }

  // Of the tokens inside the mask: where the references' unbounded ratios are within our bound.
  at::Tensor bounded() const {
    return ((logprob - old_logprob).abs().detach() < 20) | mask.logical_not();
  }

  LossInput loss_input() const { return {logprob, old_logprob, advantage, mask, offsets}; }

  ControlView view(const PolicyLoss& loss) const {
    ControlView view;
    view.logprob_T = logprob.detach();
    view.old_logprob_T = old_logprob;
    view.advantage_T = advantage;
    view.entropy_T = at::zeros_like(old_logprob);
    view.clipped_T = loss.terms(loss_input()).clipped_T & mask;
    view.mask_T = mask;
    view.token_ids.append(0, mask.numel());
    view.micro_batch_T = micro_batch;
    view.seed = 5;
    view.step = 3;
    return view;
  }

  struct Value {
    double loss;
    at::Tensor gradient;
  };
  Value value(const PolicyLoss& loss, const ControlStack& controls, const std::string& mode,
              const at::Tensor& selected) {
    ObjectiveInput input;
    input.policy = loss_input();
    input.entropy_T = at::zeros_like(old_logprob);
    input.weight_T = reduction_weights(mode, mask, offsets, counts);
    input.selected = {selected};
    const ObjectiveValue result = objective({}, loss, controls, input);
    result.loss.backward();
    const at::Tensor gradient = logprob.grad().clone();
    logprob.mutable_grad().reset();
    // The recorded form of this mode is not divided by the number of sequences.
    const double factor = mode == "seq-mean-token-sum-norm" ? counts.num_sequences : 1;
    return {result.loss.item<double>() * factor, gradient};
  }
};

Places places_of(const Json& list, int64_t num_columns) {
  Places places;
  for (const Json& place : list)
    places.insert(place[0].get<int64_t>() * num_columns + place[1].get<int64_t>());
  return places;
}

Places places_of(const at::Tensor& selected) {
  Places places;
  for (int64_t i = 0; i < selected.numel(); ++i)
    if (selected[i].item<bool>()) places.insert(i);
  return places;
}

std::unique_ptr<PolicyLoss> clip_loss(double low, double high, ObjectivePath path) {
  PolicyLossConfig config;
  config.clip_ratio_low = low;
  config.clip_ratio_high = high;
  config.clip_ratio_c = 0;  // the references have no dual clip here
  return testing::make_policy_loss(config, path);
}

std::unique_ptr<PolicyLoss> unclipped_loss(ObjectivePath path) {
  return testing::make_policy_loss({.kind = "unclipped"}, path);
}

// The references add 1e-8 to the number of tokens in some means.
testing::Tolerance with_added_tokens(testing::Tolerance tolerance) {
  return {std::max(tolerance.relative, 1.1e-8), std::max(tolerance.absolute, 1e-8)};
}

// Over the tokens of a mask; 0 outside.
at::Tensor covariances_in(const ControlView& view, const at::Tensor& mask_T) {
  const kernels::CovarianceInput tokens =
      covariance_input(view.logprob_T, view.advantage_T, mask_T, view.token_ids);
  return kernels::covariance(tokens);
}

// The fork's gradient of the bounded tokens and, where all are, both references' loss; 0 of no
// tokens.
void expect_references(const VectorCase& one, const Json& result, const VectorCase::Value& seen,
                       const std::string& what) {
  if (one.counts.num_tokens == 0) {
    EXPECT_EQ(seen.loss, 0) << what;
    EXPECT_TRUE(seen.gradient.equal(at::zeros_like(seen.gradient))) << what;
    return;
  }
  const at::Tensor bounded = one.bounded();
  if (result["fork"].contains("grad_log_prob"))
    testing::expect_close(seen.gradient, testing::vector_tensor(result["fork"]["grad_log_prob"]),
                          bounded, with_added_tokens(one.tolerance), what);
  if (!bounded.all().item<bool>()) return;
  testing::expect_close(seen.loss, testing::vector_number(result["fork"]["loss"]),
                        with_added_tokens(one.tolerance), what);
  testing::expect_close(seen.loss, testing::vector_number(result["verl"]["loss"]), one.tolerance,
                        what);
}

void check_clip_cov(VectorCase& one, const Json& result, ObjectivePath path) {
  const Json &params = result["params"], &trace = result["trace"];
  const std::string what = concat(one.name, ' ', params.dump());
  const auto loss =
      clip_loss(params["clip_low"].get<double>(), params["clip_high"].get<double>(), path);
  EntropyControlConfig config;
  config.kind = {"clip_cov"};
  config.clip_cov_lb = params["clip_cov_lb"].get<double>();
  config.clip_cov_ub = params["clip_cov_ub"].get<double>();
  config.clip_cov_ratio = 1;
  const ControlView view = one.view(*loss);
  if (trace.contains("clip_by_origin")) {
    EXPECT_TRUE(view.clipped_T.equal(testing::vector_mask(trace["clip_by_origin"]) & one.mask))
        << what;
  }
  if (trace.contains("cov")) {
    const at::Tensor seen = covariances_in(view, view.mask_T),
                     wanted = testing::vector_tensor(trace["cov"]);
    for (int64_t i = 0; i < seen.numel(); ++i)
      if (view.mask_T[i].item<bool>())
        testing::expect_close(seen[i].item<double>(), wanted[i].item<double>(),
                              with_added_tokens(one.tolerance), what);
  }

  const Places candidates = places_of(trace["candidates"], one.offsets[1]);
  EXPECT_EQ(places_of(ControlStack(config).select(view)[0]), candidates) << what;
  config.clip_cov_ratio = params["clip_cov_ratio"].get<double>();
  ControlStack controls(config);
  const Places chosen = places_of(controls.select(view)[0]);
  EXPECT_EQ(chosen.size(), trace["selected"].size()) << what;
  EXPECT_TRUE(std::includes(candidates.begin(), candidates.end(), chosen.begin(), chosen.end()))
      << what;
  Metrics metrics;
  controls.report(metrics);
  EXPECT_EQ(metrics.at("entropy_ctrl/candidates"), candidates.size()) << what;
  if (one.counts.num_tokens > 0) {
    EXPECT_EQ(metrics.at("entropy_ctrl/selected_quota"), trace["clip_num"].get<double>()) << what;
  }

  // Loss and gradient of the reference's own draw.
  const at::Tensor dropped = testing::vector_mask(trace["keep_mask"]).logical_not();
  expect_references(one, result, one.value(*loss, controls, "token-mean", dropped), what);
  if (one.counts.num_tokens == 0 || !one.bounded().all().item<bool>()) return;
  testing::expect_close(dropped.sum().item<double>() / one.counts.num_tokens,
                        testing::vector_number(result["verl"]["pg_clipfrac"]),
                        with_added_tokens(one.tolerance), what);
  if (!result.contains("verl_other_agg")) return;
  const Json& others = result["verl_other_agg"];
  for (const std::string& mode : reduction_names())
    if (others.contains(mode))
      testing::expect_close(one.value(*loss, controls, mode, dropped).loss,
                            testing::vector_number(others[mode]), with_added_tokens(one.tolerance),
                            concat(what, ' ', mode));
}

class CovarianceControlTest : public testing::ObjectivePathTest {};
INSTANTIATE_TEST_SUITE_P(Paths, CovarianceControlTest, testing::objective_paths());

TEST_P(CovarianceControlTest, ClipCovEqualsTheReferenceVectors) {
  COVRL_REQUIRE_VECTORS(path, "policy_clip_cov");
  int num_checked = 0, num_unbounded = 0;
  for (const Json& one_case : testing::vector_cases(path)) {
    VectorCase one(one_case);
    for (const Json& result : one_case["results"]) {
      check_clip_cov(one, result, GetParam());
      ++num_checked;
      num_unbounded += !one.bounded().all().item<bool>();
    }
  }
  EXPECT_GT(num_checked, 0);
  std::cout << "policy_clip_cov: " << num_checked << " results checked, of " << num_unbounded
            << " with unbounded log-ratios the selection and the bounded tokens' gradient\n";
}

EntropyControlConfig kl_cov_config(double ratio, double coefficient) {
  EntropyControlConfig config;
  config.kind = {"kl_cov"};
  config.kl_cov_ratio = ratio;
  config.ppo_kl_coef = coefficient;
  return config;
}

// Whether the reference's choice is one of many.
bool is_arbitrary(const Json& result) {
  return result["selection_has_tie_at_boundary"].get<bool>() ||
         result["num_selected"] != result["num_selected_verl"];
}

void check_kl_cov(VectorCase& one, const Json& result, ObjectivePath path) {
  const Json& params = result["params"];
  const std::string what = concat(one.name, ' ', params.dump());
  const auto loss = unclipped_loss(path);
  ControlStack controls(kl_cov_config(params["verl_kl_cov_ratio"].get<double>(),
                                      params["ppo_kl_coef"].get<double>()));
  const ControlView view = one.view(*loss);
  const at::Tensor selected = controls.select(view)[0];
  const bool any = (covariances_in(view, view.mask_T) != 0).any().item<bool>();
  const int64_t num_selected = selected.sum().item<int64_t>();
  EXPECT_EQ(num_selected, any ? result["num_selected_verl"].get<int64_t>() : 0) << what;
  const VectorCase::Value seen = one.value(*loss, controls, "token-mean", selected);
  if (one.counts.num_tokens == 0) return expect_references(one, result, seen, what);
  if (!any || is_arbitrary(result)) return;
  EXPECT_EQ(places_of(selected), places_of(result["selected"], one.offsets[1])) << what;
  expect_references(one, result, seen, what);
}

TEST_P(CovarianceControlTest, KlCovEqualsTheReferenceVectors) {
  COVRL_REQUIRE_VECTORS(path, "policy_kl_cov");
  int num_checked = 0, num_arbitrary = 0;
  for (const Json& one_case : testing::vector_cases(path)) {
    VectorCase one(one_case);
    for (const Json& result : one_case["results"]) {
      check_kl_cov(one, result, GetParam());
      ++num_checked;
      num_arbitrary += is_arbitrary(result);
    }
  }
  EXPECT_GT(num_checked, 0);
  std::cout << "policy_kl_cov: " << num_checked << " results checked, " << num_arbitrary
            << " with ties by their count alone\n";
}

// The recorded micro-batches are sets of rows.
at::Tensor micro_batches_of(const Json& one_case, int64_t num_columns) {
  at::Tensor micro_batch = at::full(
      {static_cast<int64_t>(one_case["inputs"]["log_prob"].size()), num_columns}, -1, at::kLong);
  int64_t index = 0;
  for (const Json& part : one_case["micro_batches"]) {
    for (const Json& row : part["rows"]) micro_batch[row.get<int64_t>()].fill_(index);
    ++index;
  }
  return micro_batch.flatten();
}

// The covariances of the selected places, in the micro-batch `part` (-1: all tokens): what the
// choice among tokens of equal covariance does not change.
std::vector<double> covariances_of(const Places& places, const ControlView& view, int64_t part) {
  const at::Tensor inside = part < 0 ? view.mask_T : view.mask_T & (view.micro_batch_T == part);
  const at::Tensor all = covariances_in(view, inside);
  std::vector<double> selected;
  for (const int64_t place : places)
    if (inside[place].item<bool>()) selected.push_back(all[place].item<double>());
  std::sort(selected.begin(), selected.end());
  return selected;
}

at::Tensor selection_of(const Places& places, const ControlView& view) {
  at::Tensor selected = at::zeros_like(view.mask_T);
  for (const int64_t place : places) selected[place].fill_(true);
  return selected;
}

void check_scope(VectorCase& one, const Json& one_case, ObjectivePath path) {
  const auto loss = unclipped_loss(path);
  EntropyControlConfig config =
      kl_cov_config(one_case["kl_cov_ratio"].get<double>(), one_case["ppo_kl_coef"].get<double>());
  const int64_t num_columns = one.offsets[1];
  one.micro_batch = micro_batches_of(one_case, num_columns);
  const ControlView view = one.view(*loss);

  const Json& global = one_case["kl_cov_global"];
  ControlStack whole(config);
  const Places wanted = places_of(global["selected"], num_columns);
  EXPECT_EQ(covariances_of(places_of(whole.select(view)[0]), view, -1),
            covariances_of(wanted, view, -1))
      << one.name;
  const auto [value, gradient] = one.value(*loss, whole, "token-mean", selection_of(wanted, view));
  testing::expect_close(value, testing::vector_number(global["loss"]), one.tolerance, one.name);
  testing::expect_close(gradient, testing::vector_tensor(global["grad_log_prob"]),
                        at::ones_like(one.mask), one.tolerance, one.name);

  config.scope = "micro";
  ControlStack parts(config);
  const at::Tensor of_parts = parts.select(view)[0];
  const Json& local = one_case["kl_cov_per_micro_batch"];
  const bool one_row_each =
      one_case["micro_batches"].size() == one_case["inputs"]["log_prob"].size();
  if (one_row_each) {  // every covariance is 0: the reference picks any token, we pick none
    EXPECT_FALSE(of_parts.any().item<bool>()) << one.name;
  } else {
    const Places of_reference = places_of(local["selected"], num_columns);
    for (size_t part = 0; part < one_case["micro_batches"].size(); ++part)
      EXPECT_EQ(covariances_of(places_of(of_parts), view, static_cast<int64_t>(part)),
                covariances_of(of_reference, view, static_cast<int64_t>(part)))
          << one.name << part;
    const at::Tensor selected = selection_of(of_reference, view);
    testing::expect_close(one.value(*loss, parts, "token-mean", selected).loss,
                          testing::vector_number(local["loss_with_global_token_mean"]),
                          one.tolerance, one.name);
  }

  EntropyControlConfig clip;
  clip.kind = {"clip_cov"};
  clip.clip_cov_lb = 0.1;
  clip.clip_cov_ratio = 1;
  const Json& candidates = one_case["clip_cov_candidates_lb0p1_ub5"];
  EXPECT_EQ(places_of(ControlStack(clip).select(view)[0]).size(),
            candidates["global_count"].get<size_t>());
  clip.scope = "micro";
  EXPECT_EQ(places_of(ControlStack(clip).select(view)[0]).size(),
            candidates["sum_over_micro_batches"].get<size_t>());
}

TEST_P(CovarianceControlTest, ScopesEqualTheReferenceVectors) {
  COVRL_REQUIRE_VECTORS(path, "covariance_scope");
  int num_checked = 0;
  for (const Json& one_case : testing::vector_cases(path)) {
    VectorCase one(one_case);
    check_scope(one, one_case, GetParam());
    ++num_checked;
  }
  EXPECT_GT(num_checked, 0);
  std::cout << "covariance_scope: " << num_checked << " cases checked\n";
}

}  // namespace
}  // namespace covrl
