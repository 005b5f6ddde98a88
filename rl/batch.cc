#include "rl/batch.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <numeric>

#include "core/error.h"

namespace covrl {
namespace {

// Plain vectors while a batch grows; tensors in the end.
struct PackedColumns {
  std::vector<int64_t> tokens, positions;
  std::vector<uint8_t> loss_mask;
  std::vector<float> behaviour_logprob;

  void append(const Group& group, const Trajectory& trajectory, bool usable) {
    const std::vector<int64_t>& prompt = group.prompt.tokens;
    const size_t begin = tokens.size();
    tokens.insert(tokens.end(), prompt.begin(), prompt.end());
    tokens.insert(tokens.end(), trajectory.tokens.begin(), trajectory.tokens.end());
    positions.resize(tokens.size());
    std::iota(positions.begin() + static_cast<std::ptrdiff_t>(begin), positions.end(), 0);
    loss_mask.resize(tokens.size());
    behaviour_logprob.resize(tokens.size());
    if (!usable) return;
    for (size_t i = 0; i < trajectory.tokens.size(); ++i) {
      const size_t entry =
          begin + prompt.size() - 1 + i;  // the entry that predicts completion token i
      loss_mask[entry] = 1;
      behaviour_logprob[entry] = trajectory.behaviour_logprob[i];
    }
  }
};

template <class T>
at::Tensor to_tensor(const std::vector<T>& values, at::ScalarType dtype) {
  at::Tensor tensor =
      at::empty({static_cast<int64_t>(values.size())}, at::CppTypeToScalarType<T>::value);
  std::copy(values.begin(), values.end(), tensor.mutable_data_ptr<T>());
  return tensor.to(dtype);
}

void check_trajectory(const Group& group, const Trajectory& trajectory) {
  COVRL_CHECK(!group.prompt.tokens.empty(), "slot ", group.slot, " has a prompt without tokens");
  COVRL_CHECK(trajectory.behaviour_logprob.size() == trajectory.tokens.size(), "slot ", group.slot,
              ": ", trajectory.tokens.size(), " tokens, ", trajectory.behaviour_logprob.size(),
              " log-probs");
}

}  // namespace

void Once::set(at::Tensor value) {
  COVRL_CHECK(!filled(), name_, " is written twice");
  value_ = std::move(value);
}

const at::Tensor& Once::get() const {
  COVRL_CHECK(filled(), name_, " is read before it is filled");
  return value_;
}

Batch Batch::pack(uint64_t step, const std::vector<Group>& groups) {
  Batch batch;
  batch.step = step;
  batch.cu_seqlens.push_back(0);
  PackedColumns columns;
  for (size_t g = 0; g < groups.size(); ++g) {
    const Group& group = groups[g];
    const size_t num_samples = group.trajectories.size();
    COVRL_CHECK(g == 0 || groups[g - 1].slot < group.slot, "groups are not in order of slot");
    for (size_t i = 0; i < num_samples; ++i) {
      const Trajectory& trajectory = group.trajectories[i];
      const bool usable = is_usable(trajectory);
      if (usable) check_trajectory(group, trajectory);
      columns.append(group, trajectory, usable);
      batch.sequence_ids.push_back({group.slot, static_cast<uint32_t>(i)});
      batch.group_size.push_back(static_cast<int64_t>(num_samples));
      batch.advantage_group.push_back(static_cast<int64_t>(group.advantage_group()));
      batch.cu_seqlens.push_back(static_cast<int64_t>(columns.tokens.size()));
      batch.prompt_lengths.push_back(static_cast<int64_t>(group.prompt.tokens.size()));
      batch.weight_versions.push_back(trajectory.weight_version);
      batch.rewards.push_back(trajectory.reward);
      batch.truncated.push_back(trajectory.finish_reason == FinishReason::kLength);
      batch.usable.push_back(usable);
    }
  }
  batch.tokens_T = to_tensor(columns.tokens, at::kLong);
  batch.positions_T = to_tensor(columns.positions, at::kLong);
  batch.loss_mask_T = to_tensor(columns.loss_mask, at::kBool);
  batch.behaviour_logprob_T = to_tensor(columns.behaviour_logprob, at::kFloat);
  return batch;
}

kernels::TokenIds Batch::token_ids(int64_t first, int64_t last) const {
  constexpr int kPositionBits = 24, kSampleBits = 16, kSlotBits = 23;
  kernels::TokenIds ids;
  for (size_t n = static_cast<size_t>(first); n < static_cast<size_t>(last); ++n) {
    const auto [slot, sample] = sequence_ids[n];
    const int64_t length = cu_seqlens[n + 1] - cu_seqlens[n];
    COVRL_CHECK(
        slot >> kSlotBits == 0 && sample >> kSampleBits == 0 && length >> kPositionBits == 0,
        "slot ", slot, ", sample ", sample, ", length ", length, " do not fit in a token id");
    ids.append((static_cast<int64_t>(slot) << kSampleBits | sample) << kPositionBits, length);
  }
  return ids;
}

std::vector<MicroBatch> plan_micro_batches(const Batch& batch,
                                           const std::vector<int64_t>& sequences,
                                           int64_t max_tokens) {
  std::vector<MicroBatch> plan;
  for (int64_t n : sequences) {
    const size_t index = static_cast<size_t>(n);
    const int64_t length = batch.cu_seqlens[index + 1] - batch.cu_seqlens[index];
    if (plan.empty() || plan.back().num_tokens + length > max_tokens) plan.emplace_back();
    plan.back().sequences.push_back(n);
    plan.back().num_tokens += length;
  }
  return plan;
}

std::vector<std::vector<int64_t>> deal_micro_batches(const std::vector<MicroBatch>& micro_batches,
                                                     int num_ranks) {
  std::vector<int64_t> order(micro_batches.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](int64_t a, int64_t b) {
    return micro_batches[static_cast<size_t>(a)].num_tokens >
           micro_batches[static_cast<size_t>(b)].num_tokens;
  });
  std::vector<std::vector<int64_t>> hands(static_cast<size_t>(num_ranks));
  std::vector<int64_t> load(hands.size());
  for (int64_t index : order) {
    const auto least = std::min_element(load.begin(), load.end());
    *least += micro_batches[static_cast<size_t>(index)].num_tokens;
    hands[static_cast<size_t>(least - load.begin())].push_back(index);
  }
  for (std::vector<int64_t>& hand : hands) std::sort(hand.begin(), hand.end());
  return hands;
}

}  // namespace covrl
