#include "kernels/rms_norm_cuda.h"

#include <cmath>

#include "tests/kernels/cuda_support.h"
#include "tests/kernels/model_shape.h"

namespace covrl::kernels {
namespace {

template <class T>
class RmsNormCuda : public ::testing::Test {};
TYPED_TEST_SUITE(RmsNormCuda, StorageTypes);

constexpr float kEps = 1e-6f;
constexpr int64_t kSizes[] = {1,    7,    8,     127,  model_shape::kHidden,
                              1536, 4099, 41000, 41003};  // the last: too wide
                                                          // to be kept

template <class T>
struct Output {
  std::vector<T> y, sum;  // sum: with a residual
  std::vector<float> inverse;
};

// residual: empty, or as large as x.
template <class T>
Output<T> forward(const std::vector<T>& x, const std::vector<T>& residual,
                  const std::vector<T>& weight) {
  const int64_t size = static_cast<int64_t>(weight.size()),
                num_tokens = static_cast<int64_t>(x.size()) / size;
  DeviceBuffer<T> device_x(x), device_weight(weight), y(x.size()), sum(x.size());
  DeviceBuffer<float> inverse(num_tokens);
  std::vector<T> other = residual.empty() ? x : residual;
  DeviceBuffer<T> device_residual(other);
  RmsNormForward rows = {
      device_x.data(), device_weight.data(), y.data(), kType<T>, num_tokens, size, kEps};
  rows.inverse_T = inverse.data();
  if (!residual.empty()) {
    rows.residual_TD = device_residual.data();
    rows.sum_TD = sum.data();
  }
  check_cuda(rms_norm_forward_cuda(rows, nullptr));
  return {y.host(), residual.empty() ? std::vector<T>() : sum.host(), inverse.host()};
}

template <class T>
void expect_normalised(const Output<T>& output, const std::vector<float>& x,
                       const std::vector<float>& weight) {
  const int64_t size = static_cast<int64_t>(weight.size());
  const std::vector<float> y = to_floats(output.y);
  for (int64_t token = 0; token * size < static_cast<int64_t>(x.size()); ++token) {
    double squares = 0;
    for (int64_t i = 0; i < size; ++i) squares += std::pow(x[token * size + i], 2.0);
    const double scale = 1 / std::sqrt(squares / static_cast<double>(size) + kEps);
    ASSERT_NEAR(output.inverse[token], scale, 8 * kRounding<float> * scale);
    for (int64_t i = 0; i < size; ++i) {
      const double expected = x[token * size + i] * scale * weight[i];
      // Sum and root: a few roundings of float32. In 16 bits the normalised value and the result
      // are rounded besides.
      const double roundings = sizeof(T) == 2 ? 2 * kRounding<T> + 0x1p-18 : 16 * kRounding<float>;
      const double subnormal = rounding_error<T>(0) * (1 + std::abs(weight[i]));
      ASSERT_NEAR(y[token * size + i], expected, roundings * std::abs(expected) + subnormal)
          << size;
    }
  }
}

TYPED_TEST(RmsNormCuda, MatchesDouble) {
  COVRL_REQUIRE_DEVICE();
  for (const int64_t size : kSizes) {
    const auto x = random_values<TypeParam>(3 * size, 2, 1),
               weight = random_values<TypeParam>(size, 1, 2);
    expect_normalised(forward(x.values, {}, weight.values), x.floats, weight.floats);
  }
}

TYPED_TEST(RmsNormCuda, NormalisesTheSumWithAResidualAndKeepsIt) {
  COVRL_REQUIRE_DEVICE();
  for (const int64_t size : kSizes) {
    const auto x = random_values<TypeParam>(3 * size, 2, 1),
               residual = random_values<TypeParam>(3 * size, 1, 3),
               weight = random_values<TypeParam>(size, 1, 2);
    std::vector<float> sum(x.floats.size());
    for (size_t i = 0; i < sum.size(); ++i)
      sum[i] = static_cast<float>(static_cast<TypeParam>(x.floats[i] + residual.floats[i]));
    const Output<TypeParam> output = forward(x.values, residual.values, weight.values);
    EXPECT_EQ(to_floats(output.sum), sum);
    expect_normalised(output, sum, weight.floats);
  }
}

TYPED_TEST(RmsNormCuda, RowHasTheSameBitsAloneAndInABatch) {
  COVRL_REQUIRE_DEVICE();
  // From 1,024 tokens on a block takes several rows.
  for (const auto& [size, num_tokens] :
       {std::pair<int64_t, int64_t>{333, 3}, {1536, 3}, {8, 1027}, {11, 4098}}) {
    const auto x = random_values<TypeParam>(num_tokens * size, 2, 1),
               weight = random_values<TypeParam>(size, 1, 2);
    const std::vector<float> batch = to_floats(forward(x.values, {}, weight.values).y);
    const std::vector<TypeParam> last(x.values.end() - size, x.values.end());
    EXPECT_EQ(to_floats(forward(last, {}, weight.values).y),
              std::vector<float>(batch.end() - size, batch.end()));
  }
}

struct Gradients {
  std::vector<float> x, weight;
};

template <class T>
struct Case {
  Stored<T> x, weight, grad_y, grad_sum;  // grad_sum: empty without a residual
  int64_t num_tokens, size;
  std::vector<float> inverse;

  Case(int64_t tokens, int64_t width, bool residual)
      : x(random_values<T>(tokens * width, 2, 1)),
        weight(random_values<T>(width, 1, 2)),
        grad_y(random_values<T>(tokens * width, 1, 3)),
        num_tokens(tokens),
        size(width) {
    if (residual) grad_sum = random_values<T>(tokens * width, 1, 4);
    inverse = forward(x.values, {}, weight.values).inverse;
  }

  Gradients run() {
    DeviceBuffer<T> device_x(x.values), device_weight(weight.values), device_grad(grad_y.values),
        device_past(grad_sum.values.empty() ? x.values : grad_sum.values), grad_weight(size);
    DeviceBuffer<float> device_inverse(inverse), workspace(rms_norm_workspace(num_tokens) * size);
    check_cuda(rms_norm_backward_cuda(
        {device_x.data(), device_weight.data(), device_grad.data(),
         grad_sum.values.empty() ? nullptr : device_past.data(), device_grad.data(),  // in place
         grad_weight.data(), kType<T>, num_tokens, size, device_inverse.data(), workspace.data()},
        nullptr));
    return {to_floats(device_grad.host()), to_floats(grad_weight.host())};
  }
};

// One row in double: the gradient of x, the size of its terms, and the row's share of the weight's.
template <class T>
void expect_gradients(const Case<T>& c, const Gradients& seen) {
  std::vector<double> weight(c.size), weight_terms(c.size);
  for (int64_t token = 0; token < c.num_tokens; ++token) {
    const float* x = c.x.floats.data() + token * c.size;
    const float* grad = c.grad_y.floats.data() + token * c.size;
    double squares = 0, products = 0, product_terms = 0;
    for (int64_t i = 0; i < c.size; ++i) squares += static_cast<double>(x[i]) * x[i];
    const double inverse = 1 / std::sqrt(squares / static_cast<double>(c.size) + kEps);
    for (int64_t i = 0; i < c.size; ++i) {
      const double product = grad[i] * static_cast<double>(c.weight.floats[i]) * x[i] * inverse;
      products += product;
      product_terms += std::abs(product);
      weight[i] += grad[i] * x[i] * inverse;
      weight_terms[i] += std::abs(grad[i] * x[i] * inverse);
    }
    const double size = static_cast<double>(c.size);
    for (int64_t i = 0; i < c.size; ++i) {
      const int64_t place = token * c.size + i;
      const double g = grad[i] * static_cast<double>(c.weight.floats[i]);
      const double past = c.grad_sum.floats.empty() ? 0 : c.grad_sum.floats[place];
      const double expected = (g - x[i] * inverse * products / size) * inverse + past;
      const double terms =
          (std::abs(g) + std::abs(x[i] * inverse) * product_terms / size) * inverse +
          std::abs(past);
      ASSERT_NEAR(seen.x[place], expected,
                  32 * kRounding<float> * terms + rounding_error<T>(expected))
          << c.size << " " << place;
    }
  }
  for (int64_t i = 0; i < c.size; ++i) {
    // The normalised value is rounded to storage, products and sums to float32.
    const double roundings =
        (sizeof(T) == 2 ? kRounding<T> : 0) + (8 + c.num_tokens) * kRounding<float>;
    ASSERT_NEAR(seen.weight[i], weight[i],
                roundings * weight_terms[i] + rounding_error<T>(weight[i]))
        << c.size << " " << i;
  }
}

TYPED_TEST(RmsNormCuda, GradientsMatchDouble) {
  COVRL_REQUIRE_DEVICE();
  for (const auto& [num_tokens, size] : {std::pair<int64_t, int64_t>{1, 1},
                                         {3, 7},
                                         {16, 8},
                                         {17, 127},
                                         {35, model_shape::kHidden},
                                         {2, 4099},
                                         {18, 16424},
                                         {18, 16427}}) {  // the last two: too wide to be kept
    for (const bool residual : {false, true}) {
      Case<TypeParam> example(num_tokens, size, residual);
      expect_gradients(example, example.run());
    }
  }
}

TYPED_TEST(RmsNormCuda, NoTokensGiveTheWeightNoGradient) {
  COVRL_REQUIRE_DEVICE();
  DeviceBuffer<TypeParam> weight(5), grad_weight(5);
  RmsNormBackward rows;
  rows.weight_D = weight.data();
  rows.grad_weight_D = grad_weight.data();
  rows.type = kType<TypeParam>;
  rows.size = 5;
  check_cuda(rms_norm_backward_cuda(rows, nullptr));
  EXPECT_EQ(to_floats(grad_weight.host()), std::vector<float>(5, 0.0f));
}

TEST(RmsNormCudaSizes, ImpossibleOnesAreRefused) {
  RmsNormForward rows;
  RmsNormBackward gradients;
  for (const auto& [num_tokens, size] :
       {std::pair<int64_t, int64_t>{1, 0}, {-1, 8}, {1, int64_t{1} << 40}}) {
    rows.num_tokens = gradients.num_tokens = num_tokens;
    rows.size = gradients.size = size;
    EXPECT_EQ(rms_norm_forward_cuda(rows, nullptr), cudaErrorInvalidValue);
    EXPECT_EQ(rms_norm_backward_cuda(gradients, nullptr), cudaErrorInvalidValue);
  }
}

}  // namespace
}  // namespace covrl::kernels
