// A value function on the architecture of a policy: its trunk, and a linear head from the final
// hidden state after tokens 0..t to one number, the return still to come in that state.
//
// Layout and names are those of transformers' ...ForTokenClassification with one label, which is
// what verl's critic is: the trunk's names, "score.weight" [1,D] and "score.bias" [1]. The bias
// takes up the mean return, which no direction of the hidden states need stand for.
#pragma once

#include <ATen/core/Tensor.h>

#include <string>
#include <utility>
#include <vector>

#include "policy/model.h"

namespace covrl {

class ValueModel {
 public:
  // Own copy of the trunk of `start`, on its device, without its output head. The value head is
  // zero: V = 0 in every state until something is learned.
  explicit ValueModel(const Model& start);

  // V after the tokens `rows` (int64 [n], on the host) of the batch: float32 [n], on the host.
  // Gradients flow when parameters require them and grad mode is on.
  at::Tensor values(const PackedTokens& batch, const at::Tensor& rows) const;

  // Trunk, then head; leaves, in a fixed order.
  const std::vector<std::pair<std::string, at::Tensor>>& parameters() const { return parameters_; }
  void set_requires_grad(bool requires_grad);

 private:
  Model trunk_;
  at::Tensor weight_1D_, bias_1_;
  std::vector<std::pair<std::string, at::Tensor>> parameters_;
};

}  // namespace covrl
