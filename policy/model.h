// A decoder-only transformer as a function of tokens: packed sequences in, final hidden states out;
// and one token at a time over a paged cache. Families (Qwen2, Llama) differ in config and names
// only; families/*.cc map them onto this block.
//
// Letters: T packed tokens, D hidden size, V vocabulary, N sequences, B decode batch.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "kernels/attention.h"
#include "kernels/rope.h"
#include "policy/model_config.h"

namespace covrl {

// Sequences one after another, without padding.
struct PackedTokens {
  at::Tensor tokens_T;              // int64
  at::Tensor positions_T;           // int64, 0.. within each sequence
  std::vector<int64_t> cu_seqlens;  // N+1 offsets
};
PackedTokens pack_tokens(const std::vector<std::vector<int64_t>>& sequences);

class KvCache;
class RopeTable;

class Model {
 public:
  // Weights by their checkpoint names, as read from disk; converted to `dtype`. Missing,
  // unexpected, misshapen or non-finite tensors throw Error(kUsage) naming tensor, shape seen and
  // shape wanted, and `where`.
  Model(ModelConfig config, std::map<std::string, at::Tensor> tensors, DType dtype,
        const std::string& where);
  // Random initialisation (normal, 0.02; biases 0; norms 1), a function of the seed and the
  // tensor's name alone.
  static Model random(const ModelConfig& config, uint64_t seed);
  Model(Model&&) noexcept;
  Model& operator=(Model&&) noexcept;
  ~Model();

  const ModelConfig& config() const { return config_; }
  DType dtype() const { return dtype_; }
  at::Device device() const { return embedding_VD_.device(); }
  // Replaces the parameters by copies there; before anything else holds them. Tokens are given on
  // the host in any case.
  void move_to(at::Device device);

  // Final hidden states [T,D] (after the last norm). Gradients flow when parameters require them
  // and grad mode is on.
  at::Tensor hidden(const PackedTokens& batch) const;
  // Output head [V,D]: the embedding itself when tied.
  const at::Tensor& head() const;

  // Decoding. Appends the tokens to the cache and returns the final hidden states.
  // prefill: whole prompts, packed, each into its (so far empty or prefix-filled) sequence of the
  // cache -> [T,D].
  at::Tensor prefill(const PackedTokens& batch, const std::vector<int64_t>& cache_sequences,
                     KvCache& cache) const;
  // decode: the next token of each listed sequence -> [B,D].
  at::Tensor decode(const std::vector<int64_t>& tokens, const std::vector<int64_t>& cache_sequences,
                    KvCache& cache) const;

  // Parameters with their checkpoint names, in a fixed order (embedding, layers, norm, head unless
  // tied). The tensors are leaves; requires_grad is set through set_requires_grad.
  const std::vector<std::pair<std::string, at::Tensor>>& parameters() const { return parameters_; }
  void set_requires_grad(bool requires_grad);
  int64_t num_parameters() const;

  Model clone() const;                 // own copy of the weights
  void copy_from(const Model& other);  // same config; converts dtype

 private:
  struct Layer;
  // Attention of a layer given its rotated queries q [T,Q,d], its keys k, not yet rotated, and
  // values v [T,H,d] -> [T,Q,d].
  using Attend = std::function<at::Tensor(int64_t layer, const at::Tensor& q, const at::Tensor& k,
                                          const at::Tensor& v, const kernels::RopePlaces& places)>;

  Model(ModelConfig config, DType dtype);
  void bind_layers();
  at::Tensor forward(const at::Tensor& tokens_T, const at::Tensor& positions_T,
                     int64_t num_positions, const Attend& attend) const;
  at::Tensor attention_block(int64_t index, const at::Tensor& x_TD,
                             const kernels::RopePlaces& places, const Attend& attend) const;
  at::Tensor mlp_block(int64_t index, const at::Tensor& x_TD) const;
  Attend attend_packed(const kernels::Packing& packing) const;
  Attend attend_cached(KvCache& cache, const at::Tensor& slots_T, const at::Tensor& block_table_TM,
                       const at::Tensor& lengths_T) const;
  double attention_scale() const;

  ModelConfig config_;
  DType dtype_;
  std::vector<std::pair<std::string, at::Tensor>> parameters_;
  std::vector<Layer> layers_;  // the same tensors, by role
  at::Tensor embedding_VD_, norm_D_, head_VD_;
  std::unique_ptr<RopeTable> rope_;
};

// log p(sequence[i+1] | sequence[0..i]) and entropy after token i, for packed sequences: the scorer
// of learner, `covrl score` and evaluation alike. logprob_T[i] is that of the NEXT token of the
// same sequence; the last position of a sequence scores token 0 and is to be masked. The results
// are on the host wherever the model is.
struct PackedScores {
  at::Tensor logprob_T;
  at::Tensor entropy_T;
};
PackedScores score(const Model& model, const PackedTokens& batch, double temperature);

// The same after the tokens `rows` of the batch only, of the given next tokens (both int64 [n], on
// the host); the results stay on the model's device, gradients flow.
PackedScores score_rows(const Model& model, const PackedTokens& batch, const at::Tensor& rows,
                        const at::Tensor& targets, double temperature);

}  // namespace covrl
