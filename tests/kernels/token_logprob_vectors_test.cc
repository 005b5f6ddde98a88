// token_logprob against published vectors: entropy and log-probability of logits / T, and their
// gradients.
#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include "core/jsonl.h"
#include "kernels/token_logprob.h"
#include "tests/support/paths.h"

namespace covrl::kernels {
namespace {

at::Tensor to_tensor(const Json& values) {
  std::vector<double> flat;
  const bool nested = values.at(0).is_array();
  for (const Json& row : values) {
    if (nested) {
      for (const Json& value : row) flat.push_back(value.get<double>());
    } else {
      flat.push_back(row.get<double>());
    }
  }
  const at::Tensor tensor = at::tensor(flat, at::kDouble);
  return nested ? tensor.view({static_cast<int64_t>(values.size()), -1}) : tensor;
}

void expect_near(const at::Tensor& value, const Json& expected, double relative, double absolute) {
  const at::Tensor exact = to_tensor(expected);
  const at::Tensor excess = (value.to(at::kDouble) - exact).abs() - relative * exact.abs();
  EXPECT_LE(excess.max().item<double>(), absolute);
}

TEST(TokenLogprobVectors, ValuesAndGradientsAgree) {
  const std::string path = testing::reference_path("vectors/entropy_logprob.json");
  COVRL_REQUIRE_REFERENCE(path);
  const Json vectors = read_json(path);
  ASSERT_FALSE(vectors.at("cases").empty());
  for (const Json& item : vectors.at("cases")) {
    SCOPED_TRACE(item.at("name").get<std::string>());
    for (const at::ScalarType type : {at::kFloat, at::kDouble}) {
      // The tolerances that the vectors' description gives for each type.
      const double relative = type == at::kFloat ? 2e-5 : 1e-9,
                   absolute = type == at::kFloat ? 1e-6 : 1e-12;
      const at::Tensor logits = to_tensor(item.at("logits")).to(type).requires_grad_(true);
      const at::Tensor labels = to_tensor(item.at("labels")).to(at::kLong);
      const TokenLogprob scored =
          token_logprob_from_logits(logits, labels, item.at("temperature").get<double>());
      expect_near(scored.logprob_T, item.at("log_prob"), relative, absolute);
      expect_near(scored.entropy_T, item.at("entropy"), relative, absolute);
      const auto logprob_grad =
          torch::autograd::grad({scored.logprob_T.sum()}, {logits}, {}, /*retain_graph=*/true);
      expect_near(logprob_grad[0], item.at("grad_sum_logprob_wrt_logits"), relative, absolute);
      const auto entropy_grad = torch::autograd::grad({scored.entropy_T.sum()}, {logits});
      expect_near(entropy_grad[0], item.at("grad_sum_entropy_wrt_logits"), relative, absolute);
    }
  }
}

}  // namespace
}  // namespace covrl::kernels
