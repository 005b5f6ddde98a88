// The trajectories of one rollout step as packed tensors: every rank holds the whole batch on the
// host; the compute over it is what ranks share out. Sums, counts and selections over the batch are
// therefore global by construction.
//
// Letters: T packed tokens (prompts and completions, without padding), N sequences.
// Alignment: entry t of every per-token tensor is about predicting token t+1 of the same sequence
// from tokens 0..t. loss_mask is true where token t+1 is a completion token of a usable trajectory.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <vector>

#include "kernels/token_ids.h"
#include "rollout/types.h"

namespace covrl {

// A tensor that is written once and cannot be read before: reading an empty one throws with its
// name.
class Once {
 public:
  explicit Once(const char* name) : name_(name) {}
  void set(at::Tensor value);
  const at::Tensor& get() const;
  bool filled() const { return value_.defined(); }

 private:
  const char* name_;
  at::Tensor value_;
};

// Identity of a sequence, independent of rank and order: with the step, ties and random choices
// depend on it alone.
struct SequenceId {
  uint64_t slot = 0;    // prompt group within the step
  uint32_t sample = 0;  // within the group
};

struct Batch {
  uint64_t step = 0;
  std::vector<SequenceId> sequence_ids;  // [N], ordered by (slot, sample)
  std::vector<int64_t> group_size;       // [N] samples in the sequence's slot
  std::vector<int64_t> advantage_group;  // [N] its advantage is relative to those of one number
  std::vector<int64_t> cu_seqlens;       // [N+1]
  std::vector<int64_t> prompt_lengths;   // [N]
  std::vector<int64_t> weight_versions;  // [N]
  std::vector<double> rewards;           // [N]
  std::vector<double> baselines;         // [N] reward of the prompt's greedy completion, or empty
  std::vector<bool> truncated;           // [N] cut off at the length limit
  std::vector<bool> usable;              // [N] false: failed, out of loss, statistics and counts
  at::Tensor tokens_T;                   // int64
  at::Tensor positions_T;                // int64
  at::Tensor loss_mask_T;                // bool
  at::Tensor behaviour_logprob_T;        // float32, 0 outside the mask
  Once old_logprob_T{"old_logprob"};     // float32, of the policy at the start of the step
  Once sampling_logprob_T{"sampling_logprob"};  // float32, the same at the sampling temperature,
                                                // where old_logprob's is another
  bool old_is_behaviour = false;        // old_logprob is the sampler's (rl/rollout_correction.h)
  Once old_entropy_T{"old_entropy"};    // float32
  Once unit_entropy_T{"unit_entropy"};  // float32, the same at temperature 1, if asked for
  Once ref_logprob_T{"ref_logprob"};    // float32
  Once value_T{"value"};                // float32, of the critic at the start of the step, if any
  Once rollout_weight_T{"rollout_weight"};  // float32, off-policy weights, if any
  Once advantage_T{"advantage"};            // float32, 0 outside the mask (rl/estimate.h)
  Once return_T{"return"};                  // float32, 0 outside the mask

  int64_t num_sequences() const { return static_cast<int64_t>(sequence_ids.size()); }
  int64_t num_tokens() const { return cu_seqlens.empty() ? 0 : cu_seqlens.back(); }

  // Global id of the token that each entry of sequences first .. last-1 is about, unique in the
  // step: a function of slot, sample and position alone.
  kernels::TokenIds token_ids(int64_t first, int64_t last) const;

  // The scored log-probs that behaviour_logprob_T is compared with: those at its temperature.
  const at::Tensor& scored_like_behaviour_T() const {
    return sampling_logprob_T.filled() ? sampling_logprob_T.get() : old_logprob_T.get();
  }

  // The entry that the last completion token of sequence n is predicted at.
  int64_t last_entry(int64_t n) const { return cu_seqlens[static_cast<size_t>(n) + 1] - 2; }

  // Groups ordered by slot.
  static Batch pack(uint64_t step, const std::vector<Group>& groups);
};

// Sequences that are forwarded and back-propagated together. Made from the whole mini-batch in its
// order, by a token budget, before they are dealt to ranks (a sequence longer than the budget is
// one of its own): the rank count does not change what is computed, only who computes it.
struct MicroBatch {
  std::vector<int64_t> sequences;  // indices into Batch
  int64_t num_tokens = 0;
};
std::vector<MicroBatch> plan_micro_batches(const Batch& batch,
                                           const std::vector<int64_t>& sequences,
                                           int64_t max_tokens);

// Micro-batches of each rank: longest first onto the least loaded, ties to the lower index; each
// rank's in ascending order.
std::vector<std::vector<int64_t>> deal_micro_batches(const std::vector<MicroBatch>& micro_batches,
                                                     int num_ranks);

}  // namespace covrl
