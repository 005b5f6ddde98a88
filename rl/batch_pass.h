// A batch cut into the pieces that a model sees, and passes over them shared out among the ranks.
// Actor and critic go through the same pieces.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <vector>

#include "core/comm.h"
#include "policy/model.h"
#include "rl/batch.h"
#include "rl/loss/reduction.h"
#include "rl/update_config.h"

namespace covrl {

// Sequences first .. last-1 of the batch: what one optimizer update is made of.
struct MiniBatch {
  int64_t first = 0, last = 0;
  std::vector<int64_t> sequences;  // those with loss tokens
  ReductionCounts counts;

  // The entries of all its sequences in the batch's [T] tensors.
  int64_t begin(const Batch& batch) const { return batch.cu_seqlens[static_cast<size_t>(first)]; }
  int64_t end(const Batch& batch) const { return batch.cu_seqlens[static_cast<size_t>(last)]; }
};

// Consecutive parts of `size` prompts or responses in the batch's order, failed ones counted; 0:
// all in one.
std::vector<MiniBatch> split_mini_batches(const Batch& batch, int64_t size, MiniBatchUnit unit,
                                          int64_t max_response_length);

// Sequences of the batch that have loss tokens.
std::vector<int64_t> learning_sequences(const Batch& batch);

// A micro-batch as the model takes it, and where its loss tokens are.
struct Piece {
  PackedTokens packed;
  at::Tensor entries;            // int64 [n]: the loss tokens' entries in the batch
  at::Tensor rows;               // int64 [n]: the same entries in `packed`
  std::vector<int64_t> offsets;  // of each sequence's loss tokens among the n
  at::Tensor targets;            // int64 [n]: the tokens to be predicted

  // Their values of a [T] tensor of the batch.
  at::Tensor part(const at::Tensor& values_T) const { return values_T.index_select(0, entries); }
};
Piece make_piece(const Batch& batch, const MicroBatch& micro_batch);

// Cuts the sequences into micro-batches and deals them to the ranks.
struct SharedPass {
  SharedPass(const Batch& batch, const std::vector<int64_t>& sequences, int64_t max_tokens,
             Communicator& comm);

  const Batch& batch;
  Communicator& comm;
  std::vector<MicroBatch> plan;
  std::vector<std::vector<int64_t>> hands;  // of each rank: its micro-batches

  // Values [C,n] float32 of every loss token, computed where the piece is dealt, gathered on every
  // rank: [C,T], 0 elsewhere. Collective.
  at::Tensor columns(int64_t num_columns,
                     const std::function<at::Tensor(const Piece&)>& values) const;
  // Values [C] double of every micro-batch, added up in the order of the plan. They may be on a
  // device, where they stay until all are there. Collective.
  std::vector<double> sums(int64_t num_columns,
                           const std::function<at::Tensor(const Piece&)>& values) const;
  // The micro-batch of every entry of the batch, int64 [T]; -1: none.
  at::Tensor micro_batch_T() const;
};

}  // namespace covrl
