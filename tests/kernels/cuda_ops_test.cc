// The ops on tensors of a CUDA device, held against the oracles. On the emulator LibTorch can
// allocate and copy, but none of its own kernels run: the tests keep to what they need.
#include "kernels/cuda_ops.h"

#include <cmath>

#include "core/error.h"
#include "kernels/cuda_launch.h"
#include "kernels/reference.h"
#include "kernels/reference_logprob.h"
#include "kernels/rms_norm.h"
#include "kernels/sample_token.h"
#include "kernels/swiglu.h"
#include "kernels/token_policy_loss.h"
#include "tests/kernels/cuda_tensors.h"
#include "tests/kernels/model_shape.h"
#include "tests/kernels/op_check.h"

namespace covrl::kernels {
namespace {

using testing::Tensors;
using testing::there;

constexpr double kEps = 1e-6;

class CudaOpsTest : public testing::OnCudaTensors {};

Tensors random_tensors(std::initializer_list<std::vector<int64_t>> shapes) {
  at::manual_seed(11);
  Tensors tensors;
  for (const std::vector<int64_t>& shape : shapes) tensors.push_back(at::randn(shape));
  return tensors;
}

TEST_F(CudaOpsTest, RmsNorm) {
  // The last is too wide for a block's shared memory.
  for (const auto& [rows, width] :
       {std::pair<int64_t, int64_t>{19, 1}, {19, 37}, {19, model_shape::kHidden}, {2, 20483}})
    testing::expect_close_to_oracle(
        [](const Tensors& t) { return rms_norm(there(t[0]), there(t[1]), kEps).cpu(); },
        [](const Tensors& t) { return reference::rms_norm(t[0], t[1], kEps); },
        random_tensors({{rows, width}, {width}}));
}

TEST_F(CudaOpsTest, RmsNormOfASumWithAResidual) {
  const auto op = [](const Tensors& t) {
    const ResidualNorm result = rms_norm_residual(t[0], t[1], t[2], kEps);
    return result.y_TD.cpu() + result.sum_TD.cpu();
  };
  testing::expect_close_to_oracle(
      [&](const Tensors& t) {
        return op({there(t[0]), there(t[1]), there(t[2])});
      },
      [](const Tensors& t) {
        const at::Tensor sum = t[0] + t[1];
        return reference::rms_norm(sum, t[2], kEps) + sum;
      },
      random_tensors({{19, 64}, {19, 64}, {64}}));
}

TEST_F(CudaOpsTest, ResidualWhoseSumIsNotUsed) {
  testing::expect_close_to_oracle(
      [](const Tensors& t) {
        return rms_norm_residual(there(t[0]), there(t[1]), there(t[2]), kEps).y_TD.cpu();
      },
      [](const Tensors& t) { return reference::rms_norm(t[0] + t[1], t[2], kEps); },
      random_tensors({{5, 24}, {5, 24}, {24}}));
}

TEST_F(CudaOpsTest, Swiglu) {
  testing::expect_close_to_oracle(
      [](const Tensors& t) { return swiglu(there(t[0]), there(t[1])).cpu(); },
      [](const Tensors& t) { return reference::swiglu(t[0], t[1]); },
      random_tensors({{7, 129}, {7, 129}}));
}

RopePlaces make_places(int64_t tokens, int64_t size) {
  const at::Tensor angle = at::randn({31, size / 2});
  return {angle.cos(), angle.sin(), at::arange(tokens, at::kLong) * 5 % 31};
}

RopePlaces there(const RopePlaces& places) {
  return {there(places.cos_Pd), there(places.sin_Pd), there(places.positions_T)};
}

TEST_F(CudaOpsTest, RopeHasTheBitsOfTheCpu) {
  for (const int64_t size : {2, 64}) {
    const Tensors inputs = random_tensors({{9, 14, size}});
    const RopePlaces places = make_places(9, size), places_there = there(places);
    const at::Tensor weights = testing::weights_like(inputs[0]);
    for (const at::ScalarType type : {at::kFloat, at::kBFloat16, at::kHalf})
      testing::expect_same_bits(
          testing::differentiate(
              [&](const Tensors& t) { return rope(there(t[0]), places_there).cpu(); }, inputs, type,
              weights),
          testing::differentiate([&](const Tensors& t) { return rope(t[0], places); }, inputs, type,
                                 weights),
          "rope");
  }
}

TEST_F(CudaOpsTest, RopeIntoCacheHasTheBitsOfTheCpu) {
  const RopePlaces places = make_places(6, 32);
  const Tensors inputs = random_tensors({{6, 2, 32}, {6, 2, 32}, {5, 3, 2, 32}});
  const at::Tensor slots = at::tensor({14, 0, 7, 3, 8, 1}, at::kLong);
  PagedCache here{inputs[2].clone(), inputs[2].clone()}, cache{there(inputs[2]), there(inputs[2])};
  rope_into_cache(here, inputs[0], inputs[1], slots, places);
  rope_into_cache(cache, there(inputs[0]), there(inputs[1]), there(slots), there(places));
  testing::expect_same_bits(cache.k_PSHd.cpu(), here.k_PSHd, "k");
  testing::expect_same_bits(cache.v_PSHd.cpu(), here.v_PSHd, "v");
}

TEST_F(CudaOpsTest, DecodeAttention) {
  const Tensors inputs = random_tensors({{3, 4, 16}, {5, 4, 2, 16}, {5, 4, 2, 16}});
  const at::Tensor table = at::tensor({3, 0, 1, 4, 2, 0}, at::kInt).view({3, 2}),
                   lengths = at::tensor({1, 5, 8}, at::kInt);
  const auto oracle = [&](at::ScalarType type) {
    return reference::decode_attention(inputs[0].to(type), {inputs[1].to(type), inputs[2].to(type)},
                                       table, lengths, 0.25);
  };
  const at::Tensor seen = decode_attention(there(inputs[0]), {there(inputs[1]), there(inputs[2])},
                                           there(table), there(lengths), 0.25);
  testing::expect_within_twice(seen.cpu(), oracle(at::kFloat), oracle(at::kDouble), "output");
}

TEST_F(CudaOpsTest, SampleTokenDrawsWhatTheCpuDraws) {
  const at::Tensor logits = random_tensors({{4, 97}})[0];
  SamplingFilter filter;
  filter.temperature = 0.7;
  filter.top_k = 20;
  const std::vector<double> uniforms = {0.1, 0.45, 0.7, 0.95};
  const SampledTokens expected = sample_token(logits, filter, uniforms),
                      seen = sample_token(there(logits), filter, uniforms);
  EXPECT_EQ(seen.token, expected.token);
  for (size_t row = 0; row < uniforms.size(); ++row)
    EXPECT_NEAR(seen.logprob[row], expected.logprob[row],
                16 * 0x1p-24 * (1 + std::abs(expected.logprob[row])));
}

TEST_F(CudaOpsTest, TokenLogprobOfLogits) {
  const at::Tensor targets = at::tensor({0, 36, 5}, at::kLong);
  const auto joined = [](const TokenLogprob& scored) {
    return scored.logprob_T.cpu() + 2 * scored.entropy_T.cpu();
  };
  const Tensors inputs = random_tensors({{3, 37}});
  const at::Tensor weights = at::tensor({1.0, -0.5, 2.0}, at::kDouble);
  const auto oracle = [&](const Tensors& t) {
    return joined(reference::token_logprob_from_logits(t[0], targets, 0.6));
  };
  const testing::Differentiated exact =
      testing::differentiate(oracle, inputs, at::kDouble, weights);
  const testing::Differentiated naive = testing::differentiate(oracle, inputs, at::kFloat, weights);
  const testing::Differentiated seen = testing::differentiate(
      [&](const Tensors& t) {
        return joined(token_logprob_from_logits(there(t[0]), there(targets), 0.6));
      },
      inputs, at::kFloat, weights);
  testing::expect_within_twice(seen.output, naive.output, exact.output, "output");
  testing::expect_within_twice(seen.gradients[0], naive.gradients[0], exact.gradients[0],
                               "gradient");
}

// Every term at once, or the policy's alone, without gradient for the entropy.
PolicyLossTerms policy_loss_terms(bool every_term) {
  PolicyLossTerms terms;
  terms.ratio_min = 0.8;
  terms.ratio_max = 1.28;
  terms.ratio_cap = 3;
  if (!every_term) return terms;
  terms.pull = 0.7;
  terms.pull_penalty = LogprobPenalty::kK3;
  terms.entropy = 0.01;
  terms.kl = 0.05;
  return terms;
}

TokenPolicyLossInput policy_loss_input(int64_t count, bool every_term) {
  at::manual_seed(count);
  const auto some = [&](double share) { return at::rand({count}) < share; };
  TokenPolicyLossInput input;
  input.mask_T = some(0.7);
  const auto column = [&](const at::Tensor& values) {
    return at::where(input.mask_T, values, std::nan("")).to(at::kFloat);
  };
  const at::Tensor logprob = -at::rand({count}) * 3;
  input.logprob_T = column(logprob);
  input.entropy_T = column(at::rand({count}));
  input.old_logprob_T = column(logprob + at::randn({count}) * 0.5);
  input.advantage_T = column(at::randn({count}));
  input.weight_T = at::where(input.mask_T, at::rand({count}, at::kDouble), 0);
  if (!every_term) return input;
  input.ref_logprob_T = column(logprob + at::randn({count}));
  input.rollout_weight_T = column(at::rand({count}) * 2);
  input.dropped_T = some(0.1) & input.mask_T;
  input.pulled_T = some(0.3) & input.mask_T;
  return input;
}

TokenPolicyLossInput there(TokenPolicyLossInput input) {
  for (at::Tensor* column :
       {&input.logprob_T, &input.entropy_T, &input.old_logprob_T, &input.advantage_T, &input.mask_T,
        &input.weight_T, &input.ref_logprob_T, &input.rollout_weight_T, &input.dropped_T,
        &input.pulled_T})
    if (column->defined()) *column = there(*column);
  return input;
}

struct PolicyLossOutcome {
  at::Tensor sums;
  Tensors gradients;  // of the log-probs and, if any, of the entropies
};

// The gradient of `upstream` times the loss.
PolicyLossOutcome differentiate_policy_loss(TokenPolicyLossInput input,
                                            const PolicyLossTerms& terms, double upstream) {
  input.logprob_T = input.logprob_T.detach().requires_grad_();
  input.entropy_T = input.entropy_T.detach().requires_grad_();
  const TokenPolicyLoss value = token_policy_loss(input, terms);
  EXPECT_EQ(value.loss.device(), input.logprob_T.device());
  EXPECT_EQ(value.sums.device(), input.logprob_T.device());
  PolicyLossOutcome outcome{value.sums.cpu(), {}};
  EXPECT_EQ(value.loss.cpu().item<double>(), outcome.sums[0].item<double>());
  (value.loss.cpu() * upstream).backward();
  for (const at::Tensor& column : {input.logprob_T, input.entropy_T})
    if (column.grad().defined()) outcome.gradients.push_back(column.grad().cpu());
  return outcome;
}

TEST_F(CudaOpsTest, TokenPolicyLoss) {
  for (const bool every_term : {false, true})
    for (const int64_t count : {1, 37, 2051}) {
      const PolicyLossTerms terms = policy_loss_terms(every_term);
      const TokenPolicyLossInput input = policy_loss_input(count, every_term);
      const PolicyLossOutcome expected = differentiate_policy_loss(input, terms, 0.25),
                              seen = differentiate_policy_loss(there(input), terms, 0.25);
      ASSERT_EQ(seen.gradients.size(), expected.gradients.size());
      EXPECT_EQ(seen.gradients.size(), every_term ? 2u : 1u);
      // Terms and gradients are a dozen roundings of numbers of this size apart.
      constexpr double kRoundings = 16 * 0x1p-24;
      for (size_t i = 0; i < seen.gradients.size(); ++i)
        EXPECT_LE(testing::max_error(seen.gradients[i], expected.gradients[i]),
                  kRoundings * (1 + testing::max_abs(expected.gradients[i])));
      EXPECT_LE(testing::max_error(seen.sums, expected.sums),
                kRoundings * (static_cast<double>(count) + testing::max_abs(expected.sums)));
    }
}

TEST_F(CudaOpsTest, TokenPolicyLossRefusesColumnsOfTwoDevices) {
  TokenPolicyLossInput input = there(policy_loss_input(5, false));
  input.advantage_T = input.advantage_T.cpu();
  try {
    token_policy_loss(input, policy_loss_terms(false));
    FAIL() << "the advantages are on the host";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("advantage"), std::string::npos) << error.what();
  }
}

TEST_F(CudaOpsTest, AdamwHasTheBitsOfTheCpu) {
  const Tensors inputs = random_tensors({{1021}, {1021}, {1021}});
  AdamwStep step{1e-3, 0.9, 0.999, 1e-8, 0.01, 1.0, 3};
  step.max_norm = 1;
  const auto run = [&](at::Device device) {
    const auto copy = [&](const at::Tensor& x) {
      return x.to(device, x.scalar_type(), false, true);
    };
    const AdamwTensors tensors{copy(inputs[0]), copy(inputs[1]), copy(inputs[2]),
                               copy(inputs[2].abs()), copy(at::zeros({1021}, at::kBFloat16)),
                               // the CPU's norm on both sides
                               copy(gradient_norm(inputs[1]))};
    adamw(tensors, step);
    return Tensors{tensors.param.cpu(), tensors.exp_avg.cpu(), tensors.exp_avg_sq.cpu(),
                   tensors.weights.cpu()};
  };
  const Tensors expected = run(at::kCPU), seen = run(at::kCUDA);
  for (size_t i = 0; i < seen.size(); ++i)
    testing::expect_same_bits(seen[i], expected[i], std::to_string(i));
  const double norm = gradient_norm(inputs[1]).item<double>();
  EXPECT_NEAR(gradient_norm(there(inputs[1])).cpu().item<double>(), norm, 1e-14 * norm);
}

TEST_F(CudaOpsTest, FailedLaunchNamesOpShapeAndType) {
  try {
    cuda_ops::check_launch(cudaErrorInvalidValue, "rms_norm", there(at::zeros({2, 50000})));
    FAIL() << "the launch failed";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kRuntime);
    EXPECT_NE(std::string(error.what()).find("rms_norm: the CUDA launch for Float of shape [2, "),
              std::string::npos)
        << error.what();
  }
}

}  // namespace
}  // namespace covrl::kernels
