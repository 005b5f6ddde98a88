#include "kernels/token_logprob_cpu.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "kernels/gemm_cpu.h"
#include "kernels/parallel.h"

namespace covrl::kernels {
namespace {

constexpr int64_t kRowsPerTile = 256;
constexpr int64_t kIdsPerTile = 16 * kSoftmaxBlock;
constexpr int64_t kLogitsPerThread = 32768;  // fewer are not worth waking a thread for

// Logits of tokens first_token .. for the ids first_id .., contiguous.
struct Tile {
  at::Tensor logits;
  int64_t first_token;
  int64_t first_id;

  int64_t num_tokens() const { return logits.size(0); }
  int64_t num_ids() const { return logits.size(1); }
};

MatrixView view(const at::Tensor& matrix) {
  return {matrix.const_data_ptr<float>(), matrix.stride(0), matrix.stride(1)};
}

// a b in memory that is used again and again.
class ProductBuffer {
 public:
  at::Tensor multiply(const at::Tensor& a, const at::Tensor& b) {
    const int64_t rows = a.size(0), columns = b.size(1);
    if (!memory_.defined() || memory_.numel() < rows * columns)
      memory_ = at::empty({rows * columns}, at::kFloat);
    const at::Tensor product = memory_.narrow(0, 0, rows * columns).view({rows, columns});
    matrix_product({.a = view(a),
                    .b = view(b),
                    .c = product.data_ptr<float>(),
                    .c_row_stride = columns,
                    .rows = rows,
                    .columns = columns,
                    .depth = a.size(1)});
    return product;
  }

 private:
  at::Tensor memory_;
};

// Calls visit(token, its logits) for the rows in parallel.
template <class Visit>
void for_each_row(const Tile& tile, const Visit& visit) {
  float* data = tile.logits.data_ptr<float>();
  parallel_for(tile.num_tokens(), std::max<int64_t>(1, kLogitsPerThread / tile.num_ids()),
               [&](int64_t begin, int64_t end) {
                 for (int64_t row = begin; row < end; ++row)
                   visit(tile.first_token + row, data + row * tile.num_ids());
               });
}

void fold_tile(const Tile& tile, const int64_t* targets, float inverse_temperature,
               ScoredRows& scored) {
  for_each_row(tile, [&](int64_t token, const float* logits) {
    fold_logits(scored.rows[token], logits, tile.num_ids(), inverse_temperature);
    const int64_t place = targets[token] - tile.first_id;
    if (place >= 0 && place < tile.num_ids()) scored.target_logit[token] = logits[place];
  });
}

void differentiate_tile(const Tile& tile, const int64_t* targets,
                        const std::vector<SoftmaxRowGradient>& rows) {
  for_each_row(tile, [&](int64_t token, float* logits) {
    const SoftmaxRowGradient& row = rows[token];
    softmax_gradient(logits, tile.num_ids(), row);
    const int64_t place = targets[token] - tile.first_id;
    if (place >= 0 && place < tile.num_ids())
      logits[place] += row.grad_logprob * row.inverse_temperature;
  });
}

ScoredRows unscored(int64_t num_tokens) {
  return {std::vector<SoftmaxRow>(num_tokens), std::vector<float>(num_tokens)};
}

}  // namespace

ScoredRows score_rows(const at::Tensor& hidden_TD, const at::Tensor& head_VD,
                      const int64_t* targets, float inverse_temperature) {
  const int64_t num_tokens = hidden_TD.size(0), num_ids = head_VD.size(0);
  const at::Tensor hidden = hidden_TD.to(at::kFloat);
  ScoredRows scored = unscored(num_tokens);
  ProductBuffer tiles;
  for (int64_t id = 0; id < num_ids; id += kIdsPerTile) {
    const at::Tensor head =
        head_VD.narrow(0, id, std::min(kIdsPerTile, num_ids - id)).to(at::kFloat);
    for (int64_t token = 0; token < num_tokens; token += kRowsPerTile) {
      const at::Tensor block = hidden.narrow(0, token, std::min(kRowsPerTile, num_tokens - token));
      fold_tile({tiles.multiply(block, head.t()), token, id}, targets, inverse_temperature, scored);
    }
  }
  return scored;
}

ScoredRows score_logits(const at::Tensor& logits_TV, const int64_t* targets,
                        float inverse_temperature) {
  const int64_t num_tokens = logits_TV.size(0);
  ScoredRows scored = unscored(num_tokens);
  for (int64_t token = 0; token < num_tokens; token += kRowsPerTile) {
    const at::Tensor block =
        logits_TV.narrow(0, token, std::min(kRowsPerTile, num_tokens - token)).to(at::kFloat);
    fold_tile({block, token, 0}, targets, inverse_temperature, scored);
  }
  return scored;
}

HiddenHeadGradient hidden_head_gradient(const at::Tensor& hidden_TD, const at::Tensor& head_VD,
                                        const int64_t* targets,
                                        const std::vector<SoftmaxRowGradient>& rows,
                                        Wanted wanted) {
  const int64_t num_tokens = hidden_TD.size(0), num_ids = head_VD.size(0);
  const at::Tensor hidden = hidden_TD.to(at::kFloat);
  at::Tensor grad_hidden, grad_head;
  ProductBuffer tiles, hidden_parts, head_parts;
  if (wanted != Wanted::kHead) grad_hidden = at::zeros_like(hidden);
  if (wanted != Wanted::kHidden) grad_head = at::empty_like(head_VD);
  for (int64_t id = 0; id < num_ids; id += kIdsPerTile) {
    const at::Tensor head =
        head_VD.narrow(0, id, std::min(kIdsPerTile, num_ids - id)).to(at::kFloat);
    at::Tensor head_sum;
    if (grad_head.defined()) head_sum = at::zeros_like(head);
    for (int64_t token = 0; token < num_tokens; token += kRowsPerTile) {
      const at::Tensor block = hidden.narrow(0, token, std::min(kRowsPerTile, num_tokens - token));
      const Tile tile{tiles.multiply(block, head.t()), token, id};
      differentiate_tile(tile, targets, rows);
      if (grad_hidden.defined())
        grad_hidden.narrow(0, token, tile.num_tokens())
            .add_(hidden_parts.multiply(tile.logits, head));
      if (grad_head.defined()) head_sum.add_(head_parts.multiply(tile.logits.t(), block));
    }
    if (grad_head.defined()) grad_head.narrow(0, id, head.size(0)).copy_(head_sum);
  }
  return {grad_hidden.defined() ? grad_hidden.to(hidden_TD.scalar_type()) : grad_hidden, grad_head};
}

at::Tensor logits_gradient(const at::Tensor& logits_TV, const int64_t* targets,
                           const std::vector<SoftmaxRowGradient>& rows) {
  at::Tensor gradient = logits_TV.to(at::kFloat, /*non_blocking=*/false, /*copy=*/true);
  differentiate_tile({gradient, 0, 0}, targets, rows);
  return gradient.to(logits_TV.scalar_type());
}

}  // namespace covrl::kernels
