// Checks that the kernel tests share: against the float64 oracle, against finite differences, and
// of bits.
#pragma once

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include <algorithm>
#include <functional>
#include <string>
#include <vector>

#include "kernels/cpu_isa.h"
#include "kernels/mode.h"

namespace covrl::kernels::testing {

using Tensors = std::vector<at::Tensor>;
using Op = std::function<at::Tensor(const Tensors&)>;

// The output and the gradients of sum(output * weights) with respect to every input.
struct Differentiated {
  at::Tensor output;
  Tensors gradients;
};

inline double max_abs(const at::Tensor& x) {
  return x.numel() == 0 ? 0 : x.to(at::kDouble).abs().max().item<double>();
}

inline double max_error(const at::Tensor& value, const at::Tensor& exact) {
  return max_abs(value.to(at::kDouble) - exact);
}

// `value` may be wrong by twice what `naive`, of the same type, is wrong, or half a unit of the
// type's rounding.
inline void expect_within_twice(const at::Tensor& value, const at::Tensor& naive,
                                const at::Tensor& exact, const std::string& name) {
  ASSERT_EQ(value.sizes(), exact.sizes()) << name;
  ASSERT_EQ(value.scalar_type(), naive.scalar_type()) << name;
  const double unit = value.scalar_type() == at::kBFloat16 ? 0x1p-8
                      : value.scalar_type() == at::kHalf   ? 0x1p-11
                                                           : 0x1p-24;
  // Half the least float16; and terms of size 1 that cancel in float32.
  const double least = value.scalar_type() == at::kHalf ? 0x1p-25 + 0x1p-24 : 0;
  const double rounding = unit * max_abs(exact) + least;
  EXPECT_LE(max_error(value, exact), 2 * max_error(naive, exact) + rounding)
      << name << " " << value.scalar_type();
}

inline at::Tensor weights_like(const at::Tensor& output) {
  at::manual_seed(77);
  return at::randn(output.sizes(), at::kDouble).to(at::kBFloat16).to(at::kDouble);
}

inline Differentiated differentiate(const Op& op, const Tensors& inputs, at::ScalarType type,
                                    const at::Tensor& weights) {
  Tensors leaves;
  for (const at::Tensor& input : inputs)
    leaves.push_back(input.to(type).detach().clone().requires_grad_(true));
  const at::Tensor output = op(leaves);
  Differentiated result{output.detach(), {}};
  for (const at::Tensor& gradient : torch::autograd::grad({output}, leaves, {weights.to(type)}))
    result.gradients.push_back(gradient);
  return result;
}

// Output and gradients of `fast` against those of `reference`, in float32, bfloat16 and float16.
inline void expect_close_to_oracle(const Op& fast, const Op& reference, const Tensors& inputs) {
  for (const at::ScalarType type : {at::kFloat, at::kBFloat16, at::kHalf}) {
    Tensors rounded;
    for (const at::Tensor& input : inputs) rounded.push_back(input.to(type).to(at::kDouble));
    const at::Tensor weights = weights_like(reference(rounded));
    const Differentiated exact = differentiate(reference, rounded, at::kDouble, weights);
    const Differentiated naive = differentiate(reference, rounded, type, weights);
    const Differentiated result = differentiate(fast, rounded, type, weights);
    expect_within_twice(result.output, naive.output, exact.output, "output");
    for (size_t i = 0; i < inputs.size(); ++i)
      expect_within_twice(result.gradients[i], naive.gradients[i], exact.gradients[i],
                          "gradient " + std::to_string(i));
  }
}

// Gradients of `reference` in float64 against central differences.
inline void expect_gradients_match_differences(const Op& reference, const Tensors& inputs) {
  constexpr double kStep = 1e-5;
  Tensors points;
  for (const at::Tensor& input : inputs)
    points.push_back(input.to(at::kDouble).contiguous().clone());
  const at::Tensor weights = weights_like(reference(points));
  const Differentiated analytic = differentiate(reference, points, at::kDouble, weights);
  const auto loss = [&] { return (reference(points) * weights).sum().item<double>(); };
  for (size_t i = 0; i < points.size(); ++i) {
    const at::Tensor gradient = analytic.gradients[i].contiguous();
    double* data = points[i].data_ptr<double>();
    for (int64_t j = 0; j < points[i].numel(); ++j) {
      const double kept = data[j];
      data[j] = kept + kStep;
      const double above = loss();
      data[j] = kept - kStep;
      const double below = loss();
      data[j] = kept;
      EXPECT_NEAR(gradient.const_data_ptr<double>()[j], (above - below) / (2 * kStep), 1e-7)
          << "input " << i << ", " << j;
    }
  }
}

inline void expect_same_bits(const at::Tensor& a, const at::Tensor& b, const std::string& what) {
  ASSERT_EQ(a.sizes(), b.sizes()) << what;
  ASSERT_EQ(a.scalar_type(), b.scalar_type()) << what;
  const at::ScalarType bits = a.element_size() == 4 ? at::kInt : at::kShort;
  EXPECT_TRUE(at::equal(a.contiguous().view(bits), b.contiguous().view(bits))) << what;
}

inline void expect_same_bits(const Differentiated& a, const Differentiated& b,
                             const std::string& what) {
  expect_same_bits(a.output, b.output, what + ", output");
  for (size_t i = 0; i < a.gradients.size(); ++i)
    expect_same_bits(a.gradients[i], b.gradients[i], what + ", gradient " + std::to_string(i));
}

// Up to it the instruction sets of this processor agree in every bit: AMX adds products of bfloat16
// in an order of its own.
inline Isa last_agreeing_isa(at::ScalarType type) {
  return type == at::kBFloat16 ? std::min(best_isa(), Isa::kAvx512Bf16) : best_isa();
}

// Output and gradients have the same bits on 1, 2 and 3 threads, and on every instruction set of
// this processor that agrees.
inline void expect_invariant(const Op& fast, const Tensors& inputs, at::ScalarType type) {
  const int threads = at::get_num_threads();
  const at::Tensor weights = weights_like(fast(inputs));
  set_num_threads(1);
  const Differentiated expected = differentiate(fast, inputs, type, weights);
  for (const int count : {2, 3}) {
    set_num_threads(count);
    expect_same_bits(differentiate(fast, inputs, type, weights), expected,
                     std::to_string(count) + " threads");
  }
  set_num_threads(threads);
  const Isa last = last_agreeing_isa(type);
  set_isa(last);
  const Differentiated agreed = differentiate(fast, inputs, type, weights);
  for (int isa = 0; isa < static_cast<int>(last); ++isa) {
    set_isa(static_cast<Isa>(isa));
    expect_same_bits(differentiate(fast, inputs, type, weights), agreed,
                     "instruction set " + std::to_string(isa));
  }
  set_isa(best_isa());
}

}  // namespace covrl::kernels::testing
