#include "policy/rope_table.h"

#include <ATen/Functions.h>

#include <algorithm>
#include <cmath>
#include <numbers>

namespace covrl {
namespace {

// Low frequencies are divided by the factor, high ones kept, those between interpolated
// (Llama 3.1).
at::Tensor scale_frequencies(const at::Tensor& frequencies, const RopeScaling& scaling) {
  const double context = static_cast<double>(scaling.original_max_position_embeddings);
  const double longest_kept = context / scaling.high_freq_factor;
  const double shortest_divided = context / scaling.low_freq_factor;
  const at::Tensor wavelength = frequencies.reciprocal() * (2 * std::numbers::pi);
  const at::Tensor divided =
      at::where(wavelength > shortest_divided, frequencies / scaling.factor, frequencies);
  const at::Tensor smooth = (wavelength.reciprocal() * context - scaling.low_freq_factor) /
                            (scaling.high_freq_factor - scaling.low_freq_factor);
  const at::Tensor blended = (1 - smooth) * divided / scaling.factor + smooth * divided;
  const at::Tensor between =
      (wavelength >= longest_kept).logical_and(wavelength <= shortest_divided);
  return at::where(between, blended, divided);
}

}  // namespace

at::Tensor rope_inverse_frequencies(const ModelConfig& config) {
  const at::NoGradGuard no_grad;
  const at::Tensor exponents =
      at::arange(0, config.head_dim, 2, at::kFloat) / static_cast<double>(config.head_dim);
  const at::Tensor frequencies = at::pow(config.rope_theta, exponents).reciprocal();
  return config.rope_scaling.has_value() ? scale_frequencies(frequencies, *config.rope_scaling)
                                         : frequencies;
}

RopeTable::RopeTable(const ModelConfig& config)
    : inverse_frequencies_(rope_inverse_frequencies(config)) {}

RopeTable::Tables RopeTable::at_least(int64_t num_positions, at::Device device) {
  const std::lock_guard lock(mutex_);
  const int64_t present = tables_.cos_Pd.defined() ? tables_.cos_Pd.size(0) : 0;
  if (num_positions <= present && tables_.cos_Pd.device() == device) return tables_;
  constexpr int64_t kSmallestTable = 512;
  const int64_t wanted = std::max({num_positions, 2 * present, kSmallestTable});
  const int64_t half = inverse_frequencies_.numel();
  const Tables grown{at::empty({wanted, half}, at::kFloat), at::empty({wanted, half}, at::kFloat)};
  // Element by element: vectorised cosines differ in the last bit between the body and the tail of
  // a row.
  const float* frequency = inverse_frequencies_.const_data_ptr<float>();
  float* cosine = grown.cos_Pd.mutable_data_ptr<float>();
  float* sine = grown.sin_Pd.mutable_data_ptr<float>();
  for (int64_t position = 0; position < wanted; ++position) {
    for (int64_t i = 0; i < half; ++i) {
      const float angle = static_cast<float>(position) * frequency[i];
      cosine[position * half + i] = std::cos(angle);
      sine[position * half + i] = std::sin(angle);
    }
  }
  tables_ = {grown.cos_Pd.to(device), grown.sin_Pd.to(device)};
  return tables_;
}

}  // namespace covrl
