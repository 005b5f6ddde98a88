// Batches for tests of what comes after sampling.
#pragma once

#include <ATen/ATen.h>

#include <vector>

#include "rl/batch.h"

namespace covrl::testing {

// One value per sequence, given to each of its loss tokens; 0 elsewhere. float32 [T].
inline at::Tensor broadcast(const Batch& batch, const std::vector<double>& per_sequence) {
  std::vector<int64_t> lengths;
  for (size_t n = 0; n < per_sequence.size(); ++n)
    lengths.push_back(batch.cu_seqlens[n + 1] - batch.cu_seqlens[n]);
  const at::Tensor values = at::tensor(per_sequence, at::kDouble).to(at::kFloat);
  return at::where(batch.loss_mask_T, values.repeat_interleave(at::tensor(lengths, at::kLong)),
                   0.0f);
}

}  // namespace covrl::testing
