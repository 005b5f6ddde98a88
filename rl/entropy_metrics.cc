#include "rl/entropy_metrics.h"

#include <ATen/ATen.h>

#include "entropy/statistics.h"
#include "rl/batch_pass.h"

namespace covrl {
namespace {

double response_mean(const Batch& batch, const at::Tensor& values_T) {
  const std::vector<int64_t> sequences = learning_sequences(batch);
  double sum = 0;
  for (const int64_t n : sequences) {
    const int64_t begin = batch.cu_seqlens[static_cast<size_t>(n)],
                  length = batch.cu_seqlens[static_cast<size_t>(n) + 1] - begin;
    sum +=
        token_mean(values_T.narrow(0, begin, length), batch.loss_mask_T.narrow(0, begin, length));
  }
  return sequences.empty() ? 0 : sum / static_cast<double>(sequences.size());
}

}  // namespace

double token_mean(const at::Tensor& values_T, const at::Tensor& mask_T) {
  const at::Tensor values = values_T.masked_select(mask_T);
  return values.numel() == 0 ? 0 : values.to(at::kDouble).mean().item<double>();
}

void add_entropy_metrics(const Batch& batch, Metrics& metrics) {
  const at::Tensor& mask_T = batch.loss_mask_T;
  metrics.set("entropy/token_mean", token_mean(batch.old_entropy_T.get(), mask_T));
  metrics.set("entropy/response_mean", response_mean(batch, batch.old_entropy_T.get()));
  if (batch.unit_entropy_T.filled())
    metrics.set("actor/entropy_unit_temperature", token_mean(batch.unit_entropy_T.get(), mask_T));
  covariance_statistics(batch.old_logprob_T.get(), batch.advantage_T.get(), mask_T).report(metrics);
}

}  // namespace covrl
