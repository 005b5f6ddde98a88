#include "rl/loss/value_loss.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>
#include <iostream>

#include "rl/loss/reduction.h"
#include "tests/support/vectors.h"

namespace covrl {
namespace {

struct Outcome {
  double loss = 0, clip_fraction = 0;
  at::Tensor gradient;
};

// The token mean over `num_tokens`, with NaN wherever the mask is off.
Outcome evaluate(const Json& one_case, double cliprange, double num_tokens) {
  const at::Tensor mask = testing::vector_mask(one_case["response_mask"]);
  const auto poisoned = [&](const char* key) {
    const at::Tensor values =
        testing::vector_tensor(one_case[key], testing::vector_dtype(one_case));
    return at::where(mask, values, std::nan(""));
  };
  at::Tensor value = poisoned("vpreds").requires_grad_();
  const ValueLossTerms terms =
      value_loss({value, poisoned("values"), poisoned("returns"), mask}, cliprange);
  ReductionCounts counts;
  counts.num_tokens = num_tokens;
  const at::Tensor loss = reduce(
      terms.loss_T, reduction_weights("token-mean", mask,
                                      testing::vector_offsets(one_case["response_mask"]), counts));
  loss.backward();
  const double num_clipped = (terms.clipped_T & mask).sum().item<double>();
  const double num_here = mask.sum().item<double>();
  return {loss.item<double>(), num_here == 0 ? 0 : num_clipped / num_here, value.grad()};
}

double num_loss_tokens(const Json& one_case) {
  return testing::vector_mask(one_case["response_mask"]).sum().item<double>();
}

// The references add 1e-8 to the number of tokens.
testing::Tolerance tolerance_of(const Json& one_case) {
  testing::Tolerance tolerance = testing::vector_tolerance(one_case);
  tolerance.relative = std::max(tolerance.relative, 1.1e-8);
  return tolerance;
}

void expect_equal(const Outcome& seen, const Json& wanted, const char* clip_key, double scale,
                  const Json& one_case, const std::string& what) {
  const testing::Tolerance tolerance = tolerance_of(one_case);
  const auto number = [&](const char* key) {
    const double value = testing::vector_number(wanted.at(key));
    return std::isnan(value) ? 0 : value;  // of an empty mask
  };
  testing::expect_close(seen.loss * scale, number("loss"), tolerance, what);
  testing::expect_close(seen.clip_fraction, number(clip_key), tolerance, what + " clip fraction");
  testing::expect_close(seen.gradient * scale, testing::vector_tensor(wanted.at("grad_vpreds")),
                        testing::vector_mask(one_case["response_mask"]), tolerance,
                        what + " gradient");
  EXPECT_FALSE(seen.gradient.isnan().any().item<bool>()) << what;
}

TEST(ValueLossTest, EqualsTheReferenceVectors) {
  COVRL_REQUIRE_VECTORS(path, "value_loss");
  int num_checked = 0;
  for (const Json& one_case : testing::vector_cases(path))
    for (const Json& result : one_case.at("results")) {
      const double cliprange = result.at("cliprange_value").get<double>();
      const Outcome seen = evaluate(one_case, cliprange, num_loss_tokens(one_case));
      expect_equal(seen, result, "vf_clipfrac", 1, one_case,
                   concat(one_case["name"].get<std::string>(), " cliprange ", cliprange));
      ++num_checked;
    }
  std::cout << "value_loss: " << num_checked << " cases checked\n";
  EXPECT_GT(num_checked, 0);
}

// Counted over the mini-batch of all ranks; verl multiplies by their number, because its gradient
// reduction is a mean.
TEST(ValueLossTest, EqualsTheReferenceWithGlobalCounts) {
  COVRL_REQUIRE_VECTORS(path, "verl_latest");
  int num_checked = 0;
  for (const Json& one_case : testing::vector_cases(path)) {
    if (one_case.value("kind", "") != "value_loss_global") continue;
    const Outcome seen = evaluate(one_case, one_case.at("cliprange_value").get<double>(),
                                  one_case.at("batch_num_tokens").get<double>());
    expect_equal(seen, one_case, "clipfrac", one_case.at("dp_size").get<double>(), one_case,
                 one_case["name"].get<std::string>());
    ++num_checked;
  }
  std::cout << "verl_latest value_loss_global: " << num_checked << " cases checked\n";
  EXPECT_GT(num_checked, 0);
}

TEST(ValueLossTest, StopsTheGradientOfAValueThatHasMovedFarEnough) {
  const at::Tensor mask = at::ones({4}, at::kBool);
  at::Tensor value = at::tensor({0.3, 0.8, 0.8, -0.8}, at::kDouble).requires_grad_();
  const at::Tensor old = at::zeros({4}, at::kDouble);
  const at::Tensor returns = at::tensor({1.0, 1.0, 0.0, 1.0}, at::kDouble);
  const ValueLossTerms terms = value_loss({value, old, returns, mask}, 0.5);
  terms.loss_T.sum().backward();
  // Within the range; past it towards the return: the clipped branch is larger and constant; past
  // it and too high; past it the wrong way.
  const at::Tensor wanted = at::tensor({-0.7, 0.0, 0.8, -1.8}, at::kDouble);
  EXPECT_TRUE(at::allclose(value.grad(), wanted, 1e-15, 1e-15)) << value.grad();
  EXPECT_TRUE(terms.clipped_T.equal(at::tensor({0, 1, 0, 0}).to(at::kBool)));
  EXPECT_DOUBLE_EQ(terms.loss_T[1].item<double>(), 0.125);
}

TEST(ValueLossTest, WithoutAClipIsTheSquaredError) {
  const at::Tensor mask = at::tensor({1, 1, 0}).to(at::kBool);
  at::Tensor value = at::tensor({3.0, -2.0, std::nan("")}, at::kDouble).requires_grad_();
  const at::Tensor old = at::zeros({3}, at::kDouble);
  const at::Tensor returns = at::tensor({1.0, 1.0, std::nan("")}, at::kDouble);
  const ValueLossTerms terms = value_loss({value, old, returns, mask}, 0);
  terms.loss_T.sum().backward();
  EXPECT_TRUE(terms.loss_T.equal(at::tensor({2.0, 4.5, 0.0}, at::kDouble)));
  EXPECT_TRUE(value.grad().equal(at::tensor({2.0, -3.0, 0.0}, at::kDouble)));
  EXPECT_FALSE(terms.clipped_T.any().item<bool>());
}

}  // namespace
}  // namespace covrl
