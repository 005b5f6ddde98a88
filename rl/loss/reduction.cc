#include "rl/loss/reduction.h"

#include <ATen/ATen.h>

#include "core/error.h"

namespace covrl {
namespace {

// Weight of each token of a sequence with `length` loss tokens.
using TokenWeight = double (*)(double length, const ReductionCounts& counts);

struct Row {
  const char* name;
  TokenWeight weight;
};
constexpr Row kTable[] = {
    {"token-mean", [](double, const ReductionCounts& counts) { return 1 / counts.num_tokens; }},
    {"seq-mean-token-sum",
     [](double, const ReductionCounts& counts) { return 1 / counts.num_sequences; }},
    {"seq-mean-token-mean",
     [](double length, const ReductionCounts& counts) {
       return 1 / (length * counts.num_sequences);
     }},
    {"seq-mean-token-sum-norm",
     [](double, const ReductionCounts& counts) {
       return 1 / (counts.max_length * counts.num_sequences);
     }},
};

TokenWeight find(const std::string& mode) {
  for (const Row& row : kTable)
    if (mode == row.name) return row.weight;
  throw_usage("reduction '", mode, "' is not known (loss_agg_mode)");
}

}  // namespace

std::vector<std::string> reduction_names() {
  std::vector<std::string> names;
  for (const Row& row : kTable) names.emplace_back(row.name);
  return names;
}

at::Tensor reduction_weights(const std::string& mode, const at::Tensor& mask_T,
                             const std::vector<int64_t>& sequence_offsets,
                             const ReductionCounts& counts) {
  const TokenWeight token_weight = find(mode);
  COVRL_CHECK(!sequence_offsets.empty() && sequence_offsets.back() == mask_T.numel(),
              "offsets end at ", sequence_offsets.empty() ? 0 : sequence_offsets.back(),
              ", the mask has ", mask_T.numel(), " tokens");
  const at::Tensor mask = mask_T.contiguous();
  at::Tensor weight_T = at::zeros(mask.sizes(), at::kDouble);
  const bool* mask_data = mask.const_data_ptr<bool>();
  double* weight = weight_T.mutable_data_ptr<double>();
  for (size_t n = 0; n + 1 < sequence_offsets.size(); ++n) {
    double length = 0;
    for (int64_t t = sequence_offsets[n]; t < sequence_offsets[n + 1]; ++t) length += mask_data[t];
    if (length == 0) continue;
    const double value = token_weight(length, counts);
    for (int64_t t = sequence_offsets[n]; t < sequence_offsets[n + 1]; ++t)
      if (mask_data[t]) weight[t] = value;
  }
  return weight_T;
}

at::Tensor reduce(const at::Tensor& term_T, const at::Tensor& weight_T) {
  return (at::where(weight_T != 0, term_T, 0.0).to(at::kDouble) * weight_T).sum();
}

}  // namespace covrl
