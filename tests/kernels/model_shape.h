// Sizes of Qwen2.5-0.5B, the model whose shapes tests and benchmarks share.
#pragma once

#include <cstdint>

namespace covrl::kernels::model_shape {

constexpr int64_t kHidden = 896, kIntermediate = 4864, kHeads = 14, kKeyHeads = 2, kHeadSize = 64,
                  kVocabulary = 151936;

}  // namespace covrl::kernels::model_shape
