#include "kernels/token_logprob_cpu.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "kernels/elements.h"
#include "kernels/float_buffer.h"
#include "kernels/gemm_cpu.h"
#include "kernels/huge_pages.h"
#include "kernels/parallel.h"

namespace covrl::kernels {
namespace {

// A tile of logits is kRowsPerTile tokens by kIdsPerTile ids: with the rows of the head that it
// multiplies it stays in the caches. Both are multiples of what the sums below are cut into.
constexpr int64_t kIdsPerTile = 4 * kSoftmaxBlock;
constexpr int64_t kRowsPerTile = 256;
constexpr int64_t kIdsPerPart = 4096;   // a token's gradient is summed over so many ids, then added
constexpr int64_t kRowsAtOnce = 128;    // tokens of a tile that a thread takes at once, and
constexpr int64_t kIdsAtOnce = 96;      // rows of the head's gradient
constexpr int64_t kRowsPerThread = 12;  // fewer are not worth waking a thread for
constexpr int64_t kPadding = 16;  // floats between rows of a tile, whose columns then do not share
                                  // one set of a cache
constexpr int64_t kTileStride = kIdsPerTile + kPadding;
constexpr int64_t kLogitsPerThread = 32768;

struct Range {
  int64_t begin, end;
  int64_t size() const { return end - begin; }
};

// Calls visit(part) for `range` in parts of `size`, in order.
template <class Visit>
void in_parts(Range range, int64_t size, const Visit& visit) {
  for (int64_t begin = range.begin; begin < range.end; begin += size)
    visit(Range{begin, std::min(begin + size, range.end)});
}

// The same with the range shared out among threads.
template <class Visit>
void on_threads(Range range, int64_t size, const Visit& visit) {
  parallel_for(range.size(), kRowsPerThread, [&](int64_t begin, int64_t end) {
    in_parts({range.begin + begin, range.begin + end}, size, visit);
  });
}

// hidden [T,D], head [V,D].
template <class Element>
struct Operands {
  const Element* hidden;
  int64_t hidden_stride;  // whole words
  const Element* head;
  int64_t num_tokens, size, num_ids;
  const CpuKernels& kernels = cpu_kernels();

  Operands(const at::Tensor& hidden_TS, const at::Tensor& head_VD)
      : hidden(elements<Element>(hidden_TS)),
        hidden_stride(hidden_TS.size(1)),
        head(elements<Element>(head_VD)),
        num_tokens(hidden_TS.size(0)),
        size(head_VD.size(1)),
        num_ids(head_VD.size(0)) {}

  const Element* head_row(int64_t id) const { return head + id * size; }
};

// The head's rows of a tile, packed to be multiplied by hidden states.
template <class Element>
const float* pack_head(const Operands<Element>& in, Range ids, FloatBuffer& buffer) {
  float* panels = buffer.reserve(packed_size<Element>(in.kernels, in.size, kIdsPerTile));
  pack_matrix<Element>(in.kernels, {in.head_row(ids.begin), 1, in.size}, in.size, ids.size(),
                       panels);
  return panels;
}

template <class Element>
void multiply_tile(const Operands<Element>& in, Range tokens, Range ids, const float* packed_head,
                   float* logits) {
  matrix_product(
      MatrixProductOf<Element>{.a = {in.hidden + tokens.begin * in.hidden_stride, in.hidden_stride},
                               .packed_b = packed_head,
                               .c = logits,
                               .c_row_stride = kTileStride,
                               .rows = tokens.size(),
                               .columns = ids.size(),
                               .depth = in.size});
}

void fold(int64_t token, const float* logits, Range ids, const int64_t* targets,
          float inverse_temperature, ScoredRows& scored) {
  fold_logits(scored.rows[token], logits, ids.size(), inverse_temperature);
  const int64_t place = targets[token] - ids.begin;
  if (place >= 0 && place < ids.size()) scored.target_logit[token] = logits[place];
}

void differentiate(const float* logits, Range ids, int64_t target, const SoftmaxRowGradient& row,
                   float* gradient) {
  softmax_gradient(logits, ids.size(), row, gradient);
  const int64_t place = target - ids.begin;
  if (place >= 0 && place < ids.size())
    gradient[place] += row.grad_logprob * row.inverse_temperature;
}

template <class Element>
void score_tiles(const Operands<Element>& in, const int64_t* targets, float inverse_temperature,
                 ScoredRows& scored) {
  FloatBuffer head;
  in_parts({0, in.num_ids}, kIdsPerTile, [&](Range ids) {
    const float* panels = pack_head(in, ids, head);
    on_threads({0, in.num_tokens}, kRowsAtOnce, [&](Range tokens) {
      thread_local FloatBuffer buffer;
      float* logits = buffer.reserve(kRowsAtOnce * kTileStride);
      multiply_tile(in, tokens, ids, panels, logits);
      for (int64_t token = tokens.begin; token < tokens.end; ++token)
        fold(token, logits + (token - tokens.begin) * kTileStride, ids, targets,
             inverse_temperature, scored);
    });
  });
}

// Rows [size] added to (or, the first time, put in place of) those of a total.
void add_rows(const CpuKernels& kernels, const float* rows, int64_t count, int64_t size, bool first,
              float* total) {
  for (int64_t i = 0; i < count; ++i)
    kernels.sum_rows(rows + i * size, size, 1, size, /*accumulate=*/!first, total + i * size);
}

// Backward pass: for each tile of ids, the logits of each tile of tokens are computed again, turned
// into their gradient, and multiplied by the head and by the hidden states.
template <class Element>
class Backward {
  static constexpr bool kInPlace =
      kDepthsPerWord<Element> == 1;  // what is summed is what is stored

 public:
  // grad_hidden [T,D] and grad_head [V,D], or null.
  Backward(const Operands<Element>& in, const int64_t* targets,
           const std::vector<SoftmaxRowGradient>& rows, float* grad_hidden, Element* grad_head)
      : in_(in),
        targets_(targets),
        rows_(rows),
        grad_hidden_(grad_hidden),
        grad_head_(grad_head),
        logits_(logits_memory_.reserve(kRowsPerTile * kTileStride)) {
    if (grad_hidden_) part_ = part_memory_.reserve(in.num_tokens * in.size);
    if (grad_head_) pack_hidden();
    if constexpr (kInPlace) {
      gradient_ = logits_;
    } else {
      gradient_ = reinterpret_cast<Element*>(
          rounded_memory_.reserve(num_words<Element>(kRowsPerTile * kTileStride)));
      head_sum_ = head_memory_.reserve(kIdsPerTile * in.size);
    }
  }

  void run() {
    in_parts({0, in_.num_ids}, kIdsPerTile, [&](Range ids) {
      const float* panels = pack_head(in_, ids, packed_head_);
      if (grad_hidden_) pack_head_rows(ids);
      in_parts({0, in_.num_tokens}, kRowsPerTile, [&](Range tokens) {
        on_threads(tokens, kRowsAtOnce, [&](Range some) {
          differentiate_rows(tokens.begin, some, ids, panels);
          if (grad_hidden_) add_hidden(tokens.begin, some, ids);
        });
        if (grad_head_)
          on_threads(ids, kIdsAtOnce, [&](Range some) { add_head(tokens, ids, some); });
      });
      if (grad_hidden_ && (ids.end % kIdsPerPart == 0 || ids.end == in_.num_ids)) add_part(ids);
      if (grad_head_ && !kInPlace) store_head(ids);
    });
  }

 private:
  // Each tile of tokens as the right operand of the head's gradient.
  void pack_hidden() {
    packed_tile_size_ = packed_size<Element>(in_.kernels, kRowsPerTile, in_.size);
    const int64_t num_tiles = (in_.num_tokens + kRowsPerTile - 1) / kRowsPerTile;
    packed_hidden_ = hidden_memory_.reserve(num_tiles * packed_tile_size_);
    in_parts({0, in_.num_tokens}, kRowsPerTile, [&](Range tokens) {
      pack_matrix<Element>(in_.kernels,
                           {in_.hidden + tokens.begin * in_.hidden_stride, in_.hidden_stride},
                           tokens.size(), in_.size, packed_tile(tokens));
    });
  }

  float* packed_tile(Range tokens) const {
    return packed_hidden_ + tokens.begin / kRowsPerTile * packed_tile_size_;
  }

  // The head's rows of a tile as the right operand of the hidden states' gradient.
  void pack_head_rows(Range ids) {
    float* panels = row_memory_.reserve(packed_size<Element>(in_.kernels, kIdsPerTile, in_.size));
    pack_matrix<Element>(in_.kernels, {in_.head_row(ids.begin), in_.size}, ids.size(), in_.size,
                         panels);
    packed_rows_ = panels;
  }

  void differentiate_rows(int64_t first_token, Range tokens, Range ids, const float* panels) {
    const Range rows{tokens.begin - first_token, tokens.end - first_token};
    multiply_tile(in_, tokens, ids, panels, logits_ + rows.begin * kTileStride);
    for (int64_t row = rows.begin; row < rows.end; ++row) {
      float* logits = logits_ + row * kTileStride;
      differentiate(logits, ids, targets_[first_token + row], rows_[first_token + row], logits);
    }
    if constexpr (!kInPlace) round_rows(rows, ids.size());
  }

  // bfloat16 products take the gradient rounded; a zero fills the last word of an odd row.
  void round_rows(Range rows, int64_t num_ids) {
    for (int64_t row = rows.begin; row < rows.end; ++row) {
      round_to_bfloat16(logits_ + row * kTileStride, num_ids, gradient_ + row * kTileStride);
      gradient_[row * kTileStride + num_ids] = Element();
    }
  }

  void add_hidden(int64_t first_token, Range tokens, Range ids) {
    matrix_product(MatrixProductOf<Element>{
        .a = {gradient_ + (tokens.begin - first_token) * kTileStride, kTileStride},
        .packed_b = packed_rows_,
        .c = part_ + tokens.begin * in_.size,
        .c_row_stride = in_.size,
        .rows = tokens.size(),
        .columns = in_.size,
        .depth = ids.size(),
        .accumulate = ids.begin % kIdsPerPart != 0});
  }

  // The part of a tile of tokens in the gradient of `some` of the head's rows.
  void add_head(Range tokens, Range ids, Range some) {
    thread_local FloatBuffer buffer;
    float* product = buffer.reserve(kIdsAtOnce * in_.size);
    matrix_product(
        MatrixProductOf<Element>{.a = {gradient_ + some.begin - ids.begin, 1, kTileStride},
                                 .packed_b = packed_tile(tokens),
                                 .c = product,
                                 .c_row_stride = in_.size,
                                 .rows = some.size(),
                                 .columns = in_.size,
                                 .depth = tokens.size()});
    add_rows(in_.kernels, product, some.size(), in_.size, /*first=*/tokens.begin == 0,
             head_sum(ids) + (some.begin - ids.begin) * in_.size);
  }

  // Rows `ids` of the head's gradient while tokens are added to it.
  float* head_sum(Range ids) const {
    if constexpr (kInPlace)
      return grad_head_ + ids.begin * in_.size;
    else
      return head_sum_;
  }

  void add_part(Range ids) {
    on_threads({0, in_.num_tokens}, kRowsAtOnce, [&](Range tokens) {
      add_rows(in_.kernels, part_ + tokens.begin * in_.size, tokens.size(), in_.size,
               /*first=*/ids.end <= kIdsPerPart, grad_hidden_ + tokens.begin * in_.size);
    });
  }

  void store_head(Range ids) {
    on_threads({0, ids.size()}, kIdsAtOnce, [&](Range some) {
      if constexpr (!kInPlace)
        round_to_bfloat16(head_sum_ + some.begin * in_.size, some.size() * in_.size,
                          grad_head_ + (ids.begin + some.begin) * in_.size);
    });
  }

  const Operands<Element>& in_;
  const int64_t* targets_;
  const std::vector<SoftmaxRowGradient>& rows_;
  float* grad_hidden_;
  Element* grad_head_;
  FloatBuffer logits_memory_, rounded_memory_, part_memory_, head_memory_, hidden_memory_,
      row_memory_, packed_head_;
  float* logits_;              // [kRowsPerTile, kTileStride], then their gradient
  Element* gradient_;          // the same as the products take it
  float* part_ = nullptr;      // [T,D]: grad_hidden of kIdsPerPart ids
  float* head_sum_ = nullptr;  // [kIdsPerTile,D]: grad_head of the tile so far
  float* packed_hidden_ = nullptr;
  int64_t packed_tile_size_ = 0;
  const float* packed_rows_ = nullptr;
};

// Calls visit(token) for tokens in parallel.
template <class Visit>
void for_each_row(const at::Tensor& logits_TV, const Visit& visit) {
  const int64_t grain = std::max<int64_t>(1, kLogitsPerThread / logits_TV.size(1));
  parallel_for(logits_TV.size(0), grain, [&](int64_t begin, int64_t end) {
    for (int64_t token = begin; token < end; ++token) visit(token);
  });
}

// Part `ids` of a row in float32: in place, or widened into `memory`.
const float* in_float(const float* row, Range ids, float*) { return row + ids.begin; }
const float* in_float(const Bfloat16* row, Range ids, float* memory) {
  widen(row + ids.begin, ids.size(), memory);
  return memory;
}

void differentiate_row(const float* row, int64_t num_ids, int64_t target,
                       const SoftmaxRowGradient& factors, float* gradient) {
  differentiate(row, {0, num_ids}, target, factors, gradient);
}
void differentiate_row(const Bfloat16* row, int64_t num_ids, int64_t target,
                       const SoftmaxRowGradient& factors, Bfloat16* gradient) {
  float memory[kIdsPerTile];
  in_parts({0, num_ids}, kIdsPerTile, [&](Range ids) {
    differentiate(in_float(row, ids, memory), ids, target, factors, memory);
    round_to_bfloat16(memory, ids.size(), gradient + ids.begin);
  });
}

ScoredRows unscored(int64_t num_tokens) {
  return {std::vector<SoftmaxRow>(num_tokens), std::vector<float>(num_tokens)};
}

// Hidden states as the left operand of a product over their columns: whole words.
at::Tensor whole_rows(const at::Tensor& hidden_TD) {
  const at::Tensor hidden = to_element(hidden_TD);
  const bool odd = hidden.scalar_type() == at::kBFloat16 && hidden.size(1) % 2 == 1;
  return odd ? at::constant_pad_nd(hidden, {0, 1}) : hidden;
}

// Empty, for a tensor that is written from end to end.
at::Tensor new_gradient(const at::Tensor& of) {
  const at::Tensor gradient = at::empty_like(of);
  prefer_huge_pages(gradient.data_ptr(), gradient.nbytes());
  return gradient;
}

}  // namespace

ScoredRows score_rows(const at::Tensor& hidden_TD, const at::Tensor& head_VD,
                      const int64_t* targets, float inverse_temperature) {
  const at::Tensor hidden = whole_rows(hidden_TD), head = to_element(head_VD);
  ScoredRows scored = unscored(hidden.size(0));
  with_element(head, [&]<class Element>(Element) {
    score_tiles(Operands<Element>(hidden, head), targets, inverse_temperature, scored);
  });
  return scored;
}

ScoredRows score_logits(const at::Tensor& logits_TV, const int64_t* targets,
                        float inverse_temperature) {
  const at::Tensor logits = to_element(logits_TV);
  const int64_t num_ids = logits.size(1);
  ScoredRows scored = unscored(logits.size(0));
  with_element(logits, [&]<class Element>(Element) {
    for_each_row(logits, [&](int64_t token) {
      const Element* row = elements<Element>(logits) + token * num_ids;
      float memory[kIdsPerTile];
      in_parts({0, num_ids}, kIdsPerTile, [&](Range ids) {
        fold(token, in_float(row, ids, memory), ids, targets, inverse_temperature, scored);
      });
    });
  });
  return scored;
}

HiddenHeadGradient hidden_head_gradient(const at::Tensor& hidden_TD, const at::Tensor& head_VD,
                                        const int64_t* targets,
                                        const std::vector<SoftmaxRowGradient>& rows,
                                        Wanted wanted) {
  const at::Tensor hidden = whole_rows(hidden_TD), head = to_element(head_VD);
  HiddenHeadGradient gradient;
  if (wanted != Wanted::kHead)
    gradient.hidden_TD = at::zeros({hidden.size(0), head.size(1)}, at::kFloat);
  if (wanted != Wanted::kHidden)
    gradient.head_VD = hidden.size(0) > 0 ? new_gradient(head) : at::zeros_like(head);
  if (hidden.size(0) > 0)
    with_element(head, [&]<class Element>(Element) {
      const Operands<Element> in(hidden, head);
      Backward<Element>(
          in, targets, rows,
          gradient.hidden_TD.defined() ? gradient.hidden_TD.mutable_data_ptr<float>() : nullptr,
          gradient.head_VD.defined() ? static_cast<Element*>(gradient.head_VD.mutable_data_ptr())
                                     : nullptr)
          .run();
    });
  for (at::Tensor* tensor : {&gradient.hidden_TD, &gradient.head_VD})
    if (tensor->defined()) *tensor = tensor->to(hidden_TD.scalar_type());
  return gradient;
}

at::Tensor logits_gradient(const at::Tensor& logits_TV, const int64_t* targets,
                           const std::vector<SoftmaxRowGradient>& rows) {
  const at::Tensor logits = to_element(logits_TV), gradient = new_gradient(logits);
  const int64_t num_ids = logits.size(1);
  with_element(logits, [&]<class Element>(Element) {
    for_each_row(logits, [&](int64_t token) {
      differentiate_row(elements<Element>(logits) + token * num_ids, num_ids, targets[token],
                        rows[token],
                        static_cast<Element*>(gradient.mutable_data_ptr()) + token * num_ids);
    });
  });
  return gradient.to(logits_TV.scalar_type());
}

}  // namespace covrl::kernels
