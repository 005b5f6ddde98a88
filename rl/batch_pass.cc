#include "rl/batch_pass.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cstring>

#include "core/error.h"

namespace covrl {
namespace {

int64_t num_loss_tokens(const Batch& batch, int64_t sequence) {
  const size_t n = static_cast<size_t>(sequence);
  const bool* mask = batch.loss_mask_T.const_data_ptr<bool>();
  return std::count(mask + batch.cu_seqlens[n], mask + batch.cu_seqlens[n + 1], true);
}

std::vector<std::vector<std::byte>> all_gather(Communicator& comm, const at::Tensor& values) {
  const at::Tensor contiguous = values.contiguous();
  return comm.all_gather(
      {static_cast<const std::byte*>(contiguous.const_data_ptr()), contiguous.nbytes()});
}

// The values that a rank gave, in its order.
at::Tensor received(const std::vector<std::byte>& bytes, at::ScalarType dtype) {
  const int64_t count = static_cast<int64_t>(bytes.size() / at::elementSize(dtype));
  at::Tensor values = at::empty({count}, dtype);
  if (count > 0) std::memcpy(values.mutable_data_ptr(), bytes.data(), bytes.size());
  return values;
}

}  // namespace

std::vector<MiniBatch> split_mini_batches(const Batch& batch, int64_t size, MiniBatchUnit unit,
                                          int64_t max_response_length) {
  std::vector<MiniBatch> result;
  int64_t units_seen = 0;
  for (int64_t n = 0; n < batch.num_sequences(); ++n) {
    const size_t index = static_cast<size_t>(n);
    const bool new_prompt =
        n == 0 || batch.sequence_ids[index].slot != batch.sequence_ids[index - 1].slot;
    if (new_prompt || unit == MiniBatchUnit::kResponses) {
      if (n == 0 || (size > 0 && units_seen % size == 0))
        result.push_back({n, n, {}, {0, 0, static_cast<double>(max_response_length)}});
      ++units_seen;
    }
    MiniBatch& mini_batch = result.back();
    mini_batch.last = n + 1;
    const int64_t length = num_loss_tokens(batch, n);
    if (length == 0) continue;
    mini_batch.sequences.push_back(n);
    mini_batch.counts.num_tokens += static_cast<double>(length);
    mini_batch.counts.num_sequences += 1;
  }
  return result;
}

std::vector<int64_t> learning_sequences(const Batch& batch) {
  std::vector<int64_t> sequences;
  for (int64_t n = 0; n < batch.num_sequences(); ++n)
    if (num_loss_tokens(batch, n) > 0) sequences.push_back(n);
  return sequences;
}

Piece make_piece(const Batch& batch, const MicroBatch& micro_batch) {
  const bool* mask = batch.loss_mask_T.const_data_ptr<bool>();
  std::vector<int64_t> entries, rows;
  std::vector<at::Tensor> tokens, positions;
  Piece piece{.packed = {}, .entries = {}, .rows = {}, .offsets = {0}, .targets = {}};
  piece.packed.cu_seqlens = {0};
  for (int64_t sequence : micro_batch.sequences) {
    const size_t n = static_cast<size_t>(sequence);
    const int64_t begin = batch.cu_seqlens[n];
    const int64_t length = batch.cu_seqlens[n + 1] - begin;
    tokens.push_back(batch.tokens_T.narrow(0, begin, length));
    positions.push_back(batch.positions_T.narrow(0, begin, length));
    for (int64_t t = 0; t < length; ++t) {
      if (!mask[begin + t]) continue;
      entries.push_back(begin + t);
      rows.push_back(piece.packed.cu_seqlens.back() + t);
    }
    piece.packed.cu_seqlens.push_back(piece.packed.cu_seqlens.back() + length);
    piece.offsets.push_back(static_cast<int64_t>(entries.size()));
  }
  piece.packed.tokens_T = at::cat(tokens);
  piece.packed.positions_T = at::cat(positions);
  piece.entries = at::tensor(entries, at::kLong);
  piece.rows = at::tensor(rows, at::kLong);
  piece.targets = batch.tokens_T.index_select(0, piece.entries + 1);
  return piece;
}

SharedPass::SharedPass(const Batch& whole, const std::vector<int64_t>& sequences,
                       int64_t max_tokens, Communicator& communicator)
    : batch(whole),
      comm(communicator),
      plan(plan_micro_batches(whole, sequences, max_tokens)),
      hands(deal_micro_batches(plan, communicator.size())) {}

at::Tensor SharedPass::columns(int64_t num_columns,
                               const std::function<at::Tensor(const Piece&)>& values) const {
  std::vector<at::Tensor> own = {at::empty({0}, at::kFloat)};
  for (int64_t index : hands[static_cast<size_t>(comm.rank())]) {
    const Piece piece = make_piece(batch, plan[static_cast<size_t>(index)]);
    const at::Tensor given = values(piece);
    COVRL_CHECK(
        given.numel() == num_columns * piece.entries.numel() && given.scalar_type() == at::kFloat,
        "values of shape ", given.sizes(), " for ", num_columns, " columns of ",
        piece.entries.numel());
    own.push_back(given.flatten());
  }
  const std::vector<std::vector<std::byte>> gathered = all_gather(comm, at::cat(own));
  at::Tensor result = at::zeros({num_columns, batch.num_tokens()}, at::kFloat);
  for (size_t r = 0; r < hands.size(); ++r) {
    const at::Tensor all = received(gathered[r], at::kFloat);
    int64_t offset = 0;
    for (int64_t index : hands[r]) {
      const at::Tensor entries = make_piece(batch, plan[static_cast<size_t>(index)]).entries;
      const int64_t count = num_columns * entries.numel();
      result.index_copy_(1, entries, all.narrow(0, offset, count).view({num_columns, -1}));
      offset += count;
    }
  }
  return result;
}

std::vector<double> SharedPass::sums(int64_t num_columns,
                                     const std::function<at::Tensor(const Piece&)>& values) const {
  std::vector<at::Tensor> own;
  for (int64_t index : hands[static_cast<size_t>(comm.rank())])
    own.push_back(values(make_piece(batch, plan[static_cast<size_t>(index)])));
  const std::vector<std::vector<std::byte>> gathered =
      all_gather(comm, own.empty() ? at::empty({0}, at::kDouble) : at::cat(own).cpu());
  std::vector<at::Tensor> parts(plan.size());  // of every micro-batch
  for (size_t r = 0; r < hands.size(); ++r) {
    const at::Tensor all = received(gathered[r], at::kDouble).view({-1, num_columns});
    for (size_t i = 0; i < hands[r].size(); ++i)
      parts[static_cast<size_t>(hands[r][i])] = all[static_cast<int64_t>(i)];
  }
  std::vector<double> result(static_cast<size_t>(num_columns));
  for (const at::Tensor& part : parts)
    for (size_t i = 0; i < result.size(); ++i) result[i] += part.const_data_ptr<double>()[i];
  return result;
}

at::Tensor SharedPass::micro_batch_T() const {
  at::Tensor result = at::full({batch.num_tokens()}, -1, at::kLong);
  for (size_t index = 0; index < plan.size(); ++index)
    result.index_fill_(0, make_piece(batch, plan[index]).entries, static_cast<int64_t>(index));
  return result;
}

}  // namespace covrl
