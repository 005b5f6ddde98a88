// The parameters of a model: names in the checkpoint, shapes, and their order.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "policy/model_config.h"

namespace covrl {

struct ParameterShape {
  std::string name;
  std::vector<int64_t> shape;  // [N,K] of a projection, [N] of a bias or norm
  int64_t num_elements() const;
};

// Embedding, layers, norm, then the head unless it is tied. Within a layer: input norm, q, k, v, o,
// second norm, gate, up, down, each projection's weight before its bias.
std::vector<ParameterShape> parameter_shapes(const ModelConfig& config);

}  // namespace covrl
