// Generation: the same layers, with keys and values kept in a paged cache.
#include <ATen/Functions.h>

#include <algorithm>

#include "core/error.h"
#include "policy/kv_cache.h"
#include "policy/model.h"
#include "policy/model_layer.h"
#include "policy/rope_table.h"

namespace covrl {
namespace {

at::Tensor int64_tensor(const std::vector<int64_t>& values) {
  at::Tensor tensor = at::empty({static_cast<int64_t>(values.size())}, at::kLong);
  std::copy(values.begin(), values.end(), tensor.mutable_data_ptr<int64_t>());
  return tensor;
}

// What attention through the cache needs of each new token.
struct CachedTokens {
  std::vector<int64_t> sequence;  // of the cache
  std::vector<int64_t> position;  // within its sequence
  std::vector<int64_t> slot;

  // Pages and number of keys of each token: itself and what precedes it.
  at::Tensor block_table(const KvCache& cache) const {
    size_t longest = 0;
    for (const int64_t id : sequence) longest = std::max(longest, cache.pages(id).size());
    at::Tensor table =
        at::zeros({static_cast<int64_t>(sequence.size()), static_cast<int64_t>(longest)}, at::kInt);
    int32_t* row = table.mutable_data_ptr<int32_t>();
    for (const int64_t id : sequence) {
      const std::vector<int64_t>& pages = cache.pages(id);
      std::transform(pages.begin(), pages.end(), row,
                     [](int64_t page) { return static_cast<int32_t>(page); });
      row += longest;
    }
    return table;
  }
  at::Tensor lengths() const {
    at::Tensor result = at::empty({static_cast<int64_t>(position.size())}, at::kInt);
    std::transform(position.begin(), position.end(), result.mutable_data_ptr<int32_t>(),
                   [](int64_t value) { return static_cast<int32_t>(value + 1); });
    return result;
  }
  int64_t num_positions() const {
    return position.empty() ? 0 : *std::max_element(position.begin(), position.end()) + 1;
  }
};

void append_tokens(CachedTokens& tokens, int64_t sequence, int64_t count, KvCache& cache) {
  const int64_t first = cache.length(sequence);
  const std::vector<int64_t> slots = cache.append(sequence, count);
  for (int64_t i = 0; i < count; ++i) {
    tokens.sequence.push_back(sequence);
    tokens.position.push_back(first + i);
    tokens.slot.push_back(slots[static_cast<size_t>(i)]);
  }
}

}  // namespace

// Keys and values go to the cache first; then each token attends to its own sequence up to itself.
Model::Attend Model::attend_cached(KvCache& cache, const at::Tensor& slots_T,
                                   const at::Tensor& block_table_TM,
                                   const at::Tensor& lengths_T) const {
  return
      [this, &cache, slots = slots_T.to(device()), table = block_table_TM.to(device()),
       lengths = lengths_T.to(device())](int64_t layer, const at::Tensor& q, const at::Tensor& k,
                                         const at::Tensor& v, const kernels::RopePlaces& places) {
        kernels::rope_into_cache(cache.layer(layer), k, v, slots, places);
        return kernels::decode_attention(q, cache.layer(layer), table, lengths, attention_scale());
      };
}

at::Tensor Model::prefill(const PackedTokens& batch, const std::vector<int64_t>& cache_sequences,
                          KvCache& cache) const {
  COVRL_CHECK(batch.cu_seqlens.size() == cache_sequences.size() + 1, cache_sequences.size(),
              " cache sequences for ", batch.cu_seqlens.size() - 1, " prompts");
  const at::NoGradGuard no_grad;
  CachedTokens tokens;
  bool all_empty = true;
  for (size_t n = 0; n < cache_sequences.size(); ++n) {
    all_empty = all_empty && cache.length(cache_sequences[n]) == 0;
    append_tokens(tokens, cache_sequences[n], batch.cu_seqlens[n + 1] - batch.cu_seqlens[n], cache);
  }
  const at::Tensor slots_T = int64_tensor(tokens.slot).to(device());
  const at::Tensor positions_T = int64_tensor(tokens.position);
  const kernels::Packing packing(batch.cu_seqlens, device());
  Attend attend;
  if (all_empty) {
    attend = [&](int64_t layer, const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                 const kernels::RopePlaces& places) {
      const at::Tensor rotated = kernels::rope(k, places);
      kernels::write_cache(cache.layer(layer), rotated, v, slots_T);
      return kernels::attention(q, rotated, v, packing, attention_scale());
    };
  } else {
    attend = attend_cached(cache, slots_T, tokens.block_table(cache), tokens.lengths());
  }
  return forward(batch.tokens_T, positions_T, tokens.num_positions(), attend);
}

at::Tensor Model::decode(const std::vector<int64_t>& new_tokens,
                         const std::vector<int64_t>& cache_sequences, KvCache& cache) const {
  COVRL_CHECK(new_tokens.size() == cache_sequences.size());
  const at::NoGradGuard no_grad;
  CachedTokens tokens;
  for (const int64_t sequence : cache_sequences) append_tokens(tokens, sequence, 1, cache);
  const Attend attend =
      attend_cached(cache, int64_tensor(tokens.slot), tokens.block_table(cache), tokens.lengths());
  return forward(int64_tensor(new_tokens), int64_tensor(tokens.position), tokens.num_positions(),
                 attend);
}

}  // namespace covrl
