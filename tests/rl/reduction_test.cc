#include "rl/loss/reduction.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>

#include "core/error.h"
#include "tests/support/vectors.h"

namespace covrl {
namespace {

ReductionCounts count(const at::Tensor& mask, const std::vector<int64_t>& offsets) {
  ReductionCounts counts;
  for (size_t n = 0; n + 1 < offsets.size(); ++n) {
    const double length = mask.slice(0, offsets[n], offsets[n + 1]).sum().item<double>();
    counts.num_tokens += length;
    counts.num_sequences += length > 0;
    counts.max_length =
        std::max(counts.max_length, static_cast<double>(offsets[n + 1] - offsets[n]));
  }
  return counts;
}

// The recorded seq-mean-token-sum-norm divides by the length alone, not by the number of sequences.
double recorded(const std::string& mode, double value, const ReductionCounts& counts) {
  return mode == "seq-mean-token-sum-norm" ? value * counts.num_sequences : value;
}

// verl adds 1e-8 to the length of each row in seq-mean-token-mean, the fork to the number of tokens
// in token-mean.
testing::Tolerance tolerance_of(const Json& one_case) {
  testing::Tolerance tolerance = testing::vector_tolerance(one_case);
  tolerance.relative = std::max(tolerance.relative, 1.1e-8);
  return tolerance;
}

TEST(ReductionTest, EqualsTheReferenceVectors) {
  COVRL_REQUIRE_VECTORS(path, "agg_loss");
  int num_checked = 0;
  for (const Json& one_case : testing::vector_cases(path)) {
    const std::vector<int64_t> offsets = testing::vector_offsets(one_case["mask"]);
    const at::Tensor mask = testing::vector_mask(one_case["mask"]);
    const at::Tensor terms =
        testing::vector_tensor(one_case["loss_mat"], testing::vector_dtype(one_case));
    const at::Tensor poisoned = at::where(mask, terms, std::nan(""));
    const ReductionCounts counts = count(mask, offsets);
    for (const std::string& mode : reduction_names()) {
      const at::Tensor weights = reduction_weights(mode, mask, offsets, counts);
      const double seen = recorded(mode, reduce(poisoned, weights).item<double>(), counts);
      for (const char* source : {"fork", "verl"}) {
        // The references give NaN, or count the row, where a row or the whole mask is empty.
        const double wanted = testing::vector_number(one_case[source][mode]);
        const std::string what =
            concat(one_case["name"].get<std::string>(), ' ', source, ' ', mode);
        testing::expect_close(seen, std::isnan(wanted) ? 0 : wanted, tolerance_of(one_case), what);
        EXPECT_TRUE(!std::isnan(wanted) || counts.num_tokens == 0) << what;
        ++num_checked;
      }
    }
  }
  EXPECT_GT(num_checked, 0);
  std::cout << "agg_loss: " << num_checked << " results checked\n";
}

TEST(ReductionTest, GlobalCountsEqualTheReferenceVectors) {
  COVRL_REQUIRE_VECTORS(path, "agg_loss");
  int num_checked = 0;
  for (const Json& one_case : testing::vector_cases(path)) {
    const Json& info = one_case["global_info"];
    const ReductionCounts counts{info["batch_num_tokens"].get<double>(),
                                 info["global_batch_size"].get<double>(),
                                 info["loss_scale_factor"].get<double>()};
    const std::vector<int64_t> offsets = testing::vector_offsets(one_case["mask"]);
    const at::Tensor mask = testing::vector_mask(one_case["mask"]);
    const at::Tensor terms =
        testing::vector_tensor(one_case["loss_mat"], testing::vector_dtype(one_case));
    for (const std::string& mode : reduction_names()) {
      const double seen =
          reduce(terms, reduction_weights(mode, mask, offsets, counts)).item<double>();
      // The reference scales by its number of ranks, to undo a mean over ranks; not in the mode
      // that it leaves unreduced.
      const double ranks = mode == "seq-mean-token-sum-norm" ? 1 : info["dp_size"].get<double>();
      testing::expect_close(recorded(mode, seen, counts) * ranks,
                            testing::vector_number(one_case["verl_global"][mode]),
                            tolerance_of(one_case),
                            concat(one_case["name"].get<std::string>(), ' ', mode));
      ++num_checked;
    }
  }
  EXPECT_GT(num_checked, 0);
  std::cout << "agg_loss, global counts: " << num_checked << " results checked\n";
}

TEST(ReductionTest, EqualsTheLaterReferenceVectors) {
  COVRL_REQUIRE_VECTORS(path, "verl_latest");
  int num_checked = 0, num_token_sum = 0;
  for (const Json& one_case : testing::vector_cases(path)) {
    if (one_case["kind"] != "agg_loss") continue;
    const std::vector<int64_t> offsets = testing::vector_offsets(one_case["mask"]);
    const at::Tensor mask = testing::vector_mask(one_case["mask"]);
    const at::Tensor terms = testing::vector_tensor(one_case["loss_mat"]);
    const Json& info = one_case["global_info"];
    const ReductionCounts global{info["batch_num_tokens"].get<double>(),
                                 info["global_batch_size"].get<double>(),
                                 info["loss_scale_factor"].get<double>()};
    const auto check = [&](const char* which, const ReductionCounts& counts, double factor) {
      for (const auto& [mode, wanted] : one_case[which].items()) {
        if (mode == "token-sum") {
          ++num_token_sum;
          continue;
        }
        const double seen =
            reduce(terms, reduction_weights(mode, mask, offsets, counts)).item<double>();
        const double number = testing::vector_number(wanted);
        testing::expect_close(seen * factor, std::isnan(number) ? 0 : number,
                              tolerance_of(one_case),
                              concat(one_case["name"].get<std::string>(), ' ', which, ' ', mode));
        ++num_checked;
      }
    };
    check("local", count(mask, offsets), 1);
    // The reference scales by its number of ranks, to undo a mean over ranks.
    check("global", global, info["dp_size"].get<double>());
  }
  EXPECT_GT(num_checked, 0);
  std::cout << "verl_latest, agg_loss: " << num_checked << " results checked, " << num_token_sum
            << " of token-sum left out, which is not a reduction here\n";
}

TEST(ReductionTest, WhatLiesOutsideTheMaskDoesNotChangeTheReferenceVectors) {
  COVRL_REQUIRE_VECTORS(path, "agg_loss");
  int num_checked = 0;
  for (const Json& one_case : testing::vector_cases(path)) {
    if (!one_case.contains("nan_outside_mask")) continue;
    const std::vector<int64_t> offsets = testing::vector_offsets(one_case["mask"]);
    const at::Tensor mask = testing::vector_mask(one_case["mask"]);
    const at::Tensor terms =
        at::where(mask, testing::vector_tensor(one_case["loss_mat"]), std::nan(""));
    const ReductionCounts counts = count(mask, offsets);
    for (const auto& [mode, wanted] : one_case["nan_outside_mask"]["verl"].items()) {
      // Where NaN leaks into the reference, the value without it is wanted.
      double number = testing::vector_number(wanted);
      if (std::isnan(number)) number = testing::vector_number(one_case["verl"][mode]);
      const double seen =
          reduce(terms, reduction_weights(mode, mask, offsets, counts)).item<double>();
      testing::expect_close(recorded(mode, seen, counts), std::isnan(number) ? 0 : number,
                            tolerance_of(one_case),
                            concat(one_case["name"].get<std::string>(), ' ', mode));
      ++num_checked;
    }
  }
  EXPECT_GT(num_checked, 0);
  std::cout << "agg_loss, NaN outside the mask: " << num_checked << " results checked\n";
}

class ReductionModeTest : public ::testing::TestWithParam<std::string> {};

TEST_P(ReductionModeTest, WeightsOfPartsAreThoseOfTheWhole) {
  const at::Tensor mask = at::tensor({1, 1, 0, 0, 0, 0, 1, 0, 1, 1, 1}, at::kLong).to(at::kBool);
  const std::vector<int64_t> offsets = {0, 3, 5, 8, 11};
  const ReductionCounts counts = count(mask, offsets);
  EXPECT_EQ(counts.num_sequences, 3);
  const at::Tensor whole = reduction_weights(GetParam(), mask, offsets, counts);
  const at::Tensor first = reduction_weights(GetParam(), mask.slice(0, 0, 5), {0, 3, 5}, counts);
  const at::Tensor second = reduction_weights(GetParam(), mask.slice(0, 5, 11), {0, 3, 6}, counts);
  EXPECT_TRUE(whole.equal(at::cat({first, second})));
  EXPECT_TRUE((whole != 0).equal(mask));
}

TEST_P(ReductionModeTest, NothingOutsideTheMaskIsRead) {
  const at::Tensor mask = at::tensor({0, 1, 0}, at::kLong).to(at::kBool);
  const at::Tensor terms = at::tensor({std::nan(""), 2.0, INFINITY}, at::kDouble).requires_grad_();
  const at::Tensor weights = reduction_weights(GetParam(), mask, {0, 3}, {1, 1, 4});
  const at::Tensor loss = reduce(terms, weights);
  EXPECT_EQ(loss.item<double>(), GetParam() == "seq-mean-token-sum-norm" ? 0.5 : 2.0);
  loss.backward();
  EXPECT_TRUE(terms.grad().equal(weights));
}

TEST_P(ReductionModeTest, EmptyMaskGivesZero) {
  const at::Tensor terms = at::full({4}, 3.0, at::kDouble).requires_grad_();
  const at::Tensor loss =
      reduce(terms, reduction_weights(GetParam(), at::zeros({4}, at::kBool), {0, 4}, {}));
  EXPECT_EQ(loss.item<double>(), 0);
  loss.backward();
  EXPECT_TRUE(terms.grad().equal(at::zeros({4}, at::kDouble)));
}

INSTANTIATE_TEST_SUITE_P(Modes, ReductionModeTest, ::testing::ValuesIn(reduction_names()));

TEST(ReductionTest, UnknownModeIsRefused) {
  EXPECT_THROW(reduction_weights("token-median", at::ones({1}, at::kBool), {0, 1}, {1, 1, 1}),
               Error);
}

}  // namespace
}  // namespace covrl
