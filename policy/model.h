// A decoder-only transformer as a function of tokens: packed sequences in, final hidden states out; and one token at a time
// over a paged cache. Families (Qwen2, Llama) differ in config and names only; families/*.cc map them onto this block.
//
// Letters: T packed tokens, D hidden size, V vocabulary, N sequences, B decode batch.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "kernels/attention.h"
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

class Model {
 public:
  // Weights by their checkpoint names, as read from disk; converted to `dtype`. Missing, unexpected, misshapen or non-finite
  // tensors throw Error(kUsage) naming tensor, shape seen and shape wanted, and `where`.
  Model(ModelConfig config, std::map<std::string, at::Tensor> tensors, DType dtype, const std::string& where);
  // Random initialisation (normal, 0.02; biases 0; norms 1), a function of the seed and the tensor's name alone.
  static Model random(const ModelConfig& config, uint64_t seed);

  const ModelConfig& config() const { return config_; }
  DType dtype() const { return dtype_; }

  // Final hidden states [T,D] (after the last norm). Gradients flow when parameters require them and grad mode is on.
  at::Tensor hidden(const PackedTokens& batch) const;
  // Output head [V,D]: the embedding itself when tied.
  const at::Tensor& head() const;

  // Decoding. Appends the tokens to the cache and returns the final hidden states.
  // prefill: whole prompts, packed, each into its (so far empty or prefix-filled) sequence of the cache -> [T,D].
  at::Tensor prefill(const PackedTokens& batch, const std::vector<int64_t>& cache_sequences, KvCache& cache) const;
  // decode: the next token of each listed sequence -> [B,D].
  at::Tensor decode(const std::vector<int64_t>& tokens, const std::vector<int64_t>& cache_sequences, KvCache& cache) const;

  // Parameters with their checkpoint names, in a fixed order (embedding, layers, norm, head unless tied). The tensors are
  // leaves; requires_grad is set through set_requires_grad.
  const std::vector<std::pair<std::string, at::Tensor>>& parameters() const { return parameters_; }
  void set_requires_grad(bool requires_grad);
  int64_t num_parameters() const;

  Model clone() const;                       // own copy of the weights
  void copy_from(const Model& other);        // same config; converts dtype

 private:
  struct Layer;
  ModelConfig config_;
  DType dtype_;
  std::vector<std::pair<std::string, at::Tensor>> parameters_;
  std::vector<Layer> layers_;
  at::Tensor embedding_VD_, norm_D_, head_VD_;
  at::Tensor rope_cos_Pd_, rope_sin_Pd_;  // float32 tables, grown on demand
};

// log p(sequence[i+1] | sequence[0..i]) and entropy after token i, for packed sequences: the scorer of learner, `covrl score`
// and evaluation alike. logprob_T[i] is that of the NEXT token of the same sequence; the last position of a sequence scores
// token 0 and is to be masked.
struct PackedScores {
  at::Tensor logprob_T;
  at::Tensor entropy_T;
};
PackedScores score(const Model& model, const PackedTokens& batch, double temperature);

}  // namespace covrl
