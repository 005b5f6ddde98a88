#include "rl/gradient_sum.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "core/error.h"
#include "core/rng.h"
#include "tests/support/fake_comm.h"

namespace covrl {
namespace {

using Parameters = std::vector<std::pair<std::string, at::Tensor>>;

Parameters make_parameters() {
  return {{"weight", at::zeros({3, 5}).requires_grad_()},
          {"bias", at::zeros({2}).requires_grad_()}};
}

// The gradients of micro-batch `index`, over many magnitudes.
void set_gradients(Parameters& parameters, uint64_t index) {
  Sequence draws(1, Stream::kTest, index);
  for (auto& [name, parameter] : parameters) {
    at::Tensor gradient = at::empty_like(parameter).detach();
    float* data = gradient.mutable_data_ptr<float>();
    for (int64_t i = 0; i < gradient.numel(); ++i)
      data[i] = static_cast<float>(draws.normal() * std::exp(8 * draws.uniform() - 8));
    parameter.mutable_grad() = gradient;
  }
}

struct Summed {
  at::Tensor flat;
  double norm;
};

Summed sum_over_ranks(const std::vector<uint64_t>& order, int num_ranks) {
  std::vector<Summed> results(static_cast<size_t>(num_ranks));
  testing::run_ranks(num_ranks, [&](Communicator& comm) {
    Parameters parameters = make_parameters();
    GradientSum sum(parameters);
    for (size_t i = static_cast<size_t>(comm.rank()); i < order.size();
         i += static_cast<size_t>(num_ranks)) {
      set_gradients(parameters, order[i]);
      sum.add_and_clear_grads();
    }
    sum.all_reduce(comm);
    results[static_cast<size_t>(comm.rank())] = {sum.flat(), sum.norm()};
  });
  for (const Summed& result : results) EXPECT_TRUE(result.flat.equal(results[0].flat));
  return results[0];
}

TEST(GradientSumTest, HasTheSameBitsInAnyOrderOverAnyRanks) {
  std::vector<uint64_t> order(12);
  std::iota(order.begin(), order.end(), 0);
  const Summed wanted = sum_over_ranks(order, 1);
  at::Tensor plain = at::zeros({17}, at::kDouble);
  for (uint64_t index : order) {
    Parameters parameters = make_parameters();
    set_gradients(parameters, index);
    plain += at::cat({parameters[0].second.grad().flatten(), parameters[1].second.grad()})
                 .to(at::kDouble);
  }
  EXPECT_TRUE(at::allclose(wanted.flat.to(at::kDouble), plain, 6e-8, 12 * 0x1p-49));
  EXPECT_NEAR(wanted.norm, plain.norm().item<double>(), 1e-12 * wanted.norm);
  for (int num_ranks : {1, 2, 3, 4}) {
    std::reverse(order.begin(), order.end());
    std::rotate(order.begin(), order.begin() + num_ranks, order.end());
    const Summed seen = sum_over_ranks(order, num_ranks);
    EXPECT_TRUE(seen.flat.equal(wanted.flat)) << num_ranks;
    EXPECT_EQ(seen.norm, wanted.norm) << num_ranks;
  }
}

TEST(GradientSumTest, ClearsGradientsAndCountsUndefinedAsZero) {
  Parameters parameters = make_parameters();
  GradientSum sum(parameters);
  parameters[1].second.mutable_grad() = at::tensor({0.5f, -3.0f});
  sum.add_and_clear_grads();
  EXPECT_FALSE(parameters[1].second.grad().defined());
  sum.add_and_clear_grads();
  EXPECT_TRUE(sum.flat().slice(0, 0, 15).equal(at::zeros({15})));
  EXPECT_TRUE(sum.flat().slice(0, 15).equal(at::tensor({0.5f, -3.0f})));
  sum.clear();
  EXPECT_TRUE(sum.flat().equal(at::zeros({17})));
  EXPECT_EQ(sum.norm(), 0);
}

TEST(GradientSumTest, EveryRankThrowsForABadElementOfOne) {
  for (float bad : {std::nanf(""), INFINITY, -40000.0f}) {
    std::vector<std::string> messages(3);
    testing::run_ranks(3, [&](Communicator& comm) {
      Parameters parameters = make_parameters();
      GradientSum sum(parameters);
      set_gradients(parameters, 1);
      if (comm.rank() == 1) parameters[1].second.mutable_grad()[0] = bad;
      sum.add_and_clear_grads();
      try {
        sum.all_reduce(comm);
      } catch (const Error& error) {
        messages[static_cast<size_t>(comm.rank())] = error.what();
      }
    });
    for (const std::string& message : messages) {
      EXPECT_NE(message.find("bias"), std::string::npos) << bad << ": " << message;
      EXPECT_EQ(message, messages[0]);
    }
  }
}

TEST(GradientSumTest, ManyLargeElementsCannotOverflowUnseen) {
  const auto self = make_self_communicator();
  Parameters parameters = make_parameters();
  GradientSum sum(parameters);
  for (int i = 0; i < 2; ++i) {
    parameters[0].second.mutable_grad() = at::full({3, 5}, 20000.0f);
    sum.add_and_clear_grads();
  }
  EXPECT_THROW(sum.all_reduce(*self), Error);
}

}  // namespace
}  // namespace covrl
