#include "rl/estimate.h"

#include <ATen/ATen.h>
#include <ATen/record_function.h>

#include <cmath>

#include "core/error.h"
#include "rl/overlong.h"
#include "rl/summary.h"

namespace covrl {
namespace {

// Of sequence n; -1: it has none.
int64_t last_loss_entry(const Batch& batch, int64_t n) {
  const bool* mask = batch.loss_mask_T.const_data_ptr<bool>();
  int64_t entry = batch.last_entry(n);
  while (entry >= batch.cu_seqlens[static_cast<size_t>(n)] && !mask[entry]) --entry;
  return entry >= batch.cu_seqlens[static_cast<size_t>(n)] ? entry : -1;
}

AdvantageInput advantage_input(const Batch& batch) {
  AdvantageInput input;
  input.cu_seqlens = batch.cu_seqlens;
  const bool* mask = batch.loss_mask_T.const_data_ptr<bool>();
  input.mask_T.assign(mask, mask + batch.num_tokens());
  input.reward_T.resize(input.mask_T.size());
  for (int64_t n = 0; n < batch.num_sequences(); ++n) {
    const auto index = static_cast<size_t>(n);
    input.group.push_back(batch.advantage_group[index]);
    const int64_t last = last_loss_entry(batch, n);
    if (batch.usable[index] && last >= 0)
      input.reward_T[static_cast<size_t>(last)] = batch.rewards[index];
  }
  input.baseline = batch.baselines;
  if (batch.value_T.filled()) {
    const at::Tensor value_T = batch.value_T.get().to(at::kDouble).contiguous();
    const double* value = value_T.const_data_ptr<double>();
    input.value_T.assign(value, value + value_T.numel());
  }
  return input;
}

void add_metrics(const Batch& batch, const AdvantageInput& input, const AdvantageEstimate& estimate,
                 Metrics& metrics) {
  Summary score, reward, advantage, returns;
  for (size_t n = 0; n < input.num_sequences(); ++n) {
    if (!batch.usable[n]) continue;
    score.add(batch.rewards[n]);
    double sum = 0;
    for (int64_t t = input.cu_seqlens[n]; t < input.cu_seqlens[n + 1]; ++t)
      sum += input.reward_T[static_cast<size_t>(t)];
    reward.add(sum);
  }
  for (size_t t = 0; t < input.mask_T.size(); ++t) {
    if (!input.mask_T[t]) continue;
    advantage.add(estimate.advantage_T[t]);
    returns.add(estimate.return_T[t]);
  }
  score.write("critic/score", metrics);
  reward.write("critic/rewards", metrics);
  advantage.write("critic/advantages", metrics);
  returns.write("critic/returns", metrics);
}

}  // namespace

void estimate_advantages(Batch& batch, const AdvantageEstimator& estimator, RewardKl& reward_kl,
                         Truncated truncated, Metrics& metrics) {
  RECORD_USER_SCOPE("estimate");
  AdvantageInput input = advantage_input(batch);
  reward_kl.apply(batch, input.reward_T, metrics);
  const AdvantageEstimate estimate = estimator.estimate(input);
  for (size_t t = 0; t < input.mask_T.size(); ++t)
    COVRL_CHECK(std::isfinite(estimate.advantage_T[t]), "token ", t, " of the batch of step ",
                batch.step, " has the advantage ", estimate.advantage_T[t]);
  if (truncated == Truncated::kLeftOut) leave_out_truncated(batch, metrics);
  const auto to_tensor = [&](const std::vector<double>& values) {
    const at::Tensor values_T = at::tensor(values, at::kDouble).to(at::kFloat);
    return at::where(batch.loss_mask_T, values_T, at::zeros_like(values_T));
  };
  batch.advantage_T.set(to_tensor(estimate.advantage_T));
  batch.return_T.set(to_tensor(estimate.return_T));
  add_metrics(batch, input, estimate, metrics);
}

}  // namespace covrl
