#include "rl/gradient_sum.h"

#include <ATen/ATen.h>
#include <ATen/record_function.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/error.h"
#include "kernels/parallel.h"

namespace covrl {
namespace {

constexpr double kQuantum = 0x1p-48;
constexpr double kLimit = 32767;
constexpr int64_t kChunk =
    1 << 16;  // elements per task; fixed, so that partial sums do not depend on the threads

int64_t total_elements(const std::vector<std::pair<std::string, at::Tensor>>& parameters) {
  int64_t total = 0;
  for (const auto& [name, parameter] : parameters) total += parameter.numel();
  return total;
}

void add(const float* gradient, int64_t* sum, int64_t count) {
  kernels::parallel_for(count, kChunk, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i)
      sum[i] += std::llrint(static_cast<double>(gradient[i]) / kQuantum);
  });
}

}  // namespace

GradientSum::GradientSum(const std::vector<std::pair<std::string, at::Tensor>>& parameters)
    : parameters_(parameters),
      sum_(static_cast<size_t>(total_elements(parameters))),
      largest_(parameters.size()) {}

void GradientSum::clear() {
  std::fill(sum_.begin(), sum_.end(), 0);
  std::fill(largest_.begin(), largest_.end(), 0.0);
}

void GradientSum::add_and_clear_grads() {
  RECORD_USER_SCOPE("gradient sum");
  int64_t* sum = sum_.data();
  for (size_t p = 0; p < parameters_.size(); ++p) {
    at::Tensor& gradient = parameters_[p].second.mutable_grad();
    const int64_t count = parameters_[p].second.numel();
    if (gradient.defined() && count > 0) {
      const at::Tensor values = gradient.detach().to(at::kCPU, at::kFloat).contiguous();
      const double largest = values.abs().max().item<double>();
      largest_[p] += std::isfinite(largest) ? largest : std::numeric_limits<double>::infinity();
      // Past the limit the sum is of no use any more: all_reduce throws.
      if (largest_[p] < kLimit) add(values.const_data_ptr<float>(), sum, count);
    }
    gradient.reset();
    sum += count;
  }
}

void GradientSum::all_reduce(Communicator& comm) {
  comm.all_reduce_sum(std::span<double>(largest_));
  for (size_t p = 0; p < parameters_.size(); ++p) {
    if (std::isinf(largest_[p]))
      throw_runtime("the gradient of ", parameters_[p].first,
                    " is not finite; nothing was stepped");
    if (largest_[p] >= kLimit)
      throw_runtime("the gradient of ", parameters_[p].first, " has elements up to ", largest_[p],
                    ", beyond the limit ", kLimit, "; nothing was stepped");
  }
  comm.all_reduce_sum(std::span<int64_t>(sum_));
}

at::Tensor GradientSum::flat() const {
  at::Tensor flat = at::empty({static_cast<int64_t>(sum_.size())}, at::kFloat);
  float* data = flat.mutable_data_ptr<float>();
  kernels::parallel_for(flat.numel(), kChunk, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i)
      data[i] = static_cast<float>(static_cast<double>(sum_[static_cast<size_t>(i)]) * kQuantum);
  });
  return flat;
}

double GradientSum::norm() const {
  const int64_t count = static_cast<int64_t>(sum_.size());
  std::vector<double> squares(static_cast<size_t>((count + kChunk - 1) / kChunk));
  kernels::parallel_for(static_cast<int64_t>(squares.size()), 1, [&](int64_t begin, int64_t end) {
    for (int64_t chunk = begin; chunk < end; ++chunk)
      for (int64_t i = chunk * kChunk; i < std::min(count, (chunk + 1) * kChunk); ++i) {
        const double value = static_cast<double>(sum_[static_cast<size_t>(i)]) * kQuantum;
        squares[static_cast<size_t>(chunk)] += value * value;
      }
  });
  double total = 0;
  for (double square : squares) total += square;
  return std::sqrt(total);
}

}  // namespace covrl
