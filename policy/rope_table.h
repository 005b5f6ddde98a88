// Angles of the rotary embedding as the published models compute them: inverse frequencies in
// float32 (with the Llama-3 scaling where asked for), position * frequency in float32, then cosine
// and sine.
#pragma once

#include <ATen/core/Tensor.h>

#include <mutex>

#include "policy/model_config.h"

namespace covrl {

// [d/2] float32.
at::Tensor rope_inverse_frequencies(const ModelConfig& config);

// Tables by position, grown on demand; an entry never changes.
class RopeTable {
 public:
  explicit RopeTable(const ModelConfig& config);

  struct Tables {
    at::Tensor cos_Pd;  // [P,d/2] float32
    at::Tensor sin_Pd;
  };
  Tables at_least(int64_t num_positions, at::Device device);

 private:
  at::Tensor inverse_frequencies_;
  std::mutex mutex_;
  Tables tables_;
};

}  // namespace covrl
