// Whitening of advantages over the tokens that count.
#pragma once

#include <cstdint>
#include <vector>

namespace covrl {

// (x - mean) / sqrt(variance + 1e-8) over the masked tokens, variance with n - 1 in the
// denominator; 0 outside. Fewer than two tokens have no variance: they are centred, which makes
// them 0.
void whiten(std::vector<double>& values_T, const std::vector<uint8_t>& mask_T);

}  // namespace covrl
