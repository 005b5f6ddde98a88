#include "rl/advantage/token_returns.h"

namespace covrl {

std::vector<double> token_returns(const AdvantageInput& input, double gamma) {
  std::vector<double> return_T(input.mask_T.size());
  for (size_t n = 0; n < input.num_sequences(); ++n) {
    double next = 0;
    for (int64_t t = input.cu_seqlens[n + 1]; t-- > input.cu_seqlens[n];) {
      const auto entry = static_cast<size_t>(t);
      if (!input.mask_T[entry]) continue;
      next = input.reward_T[entry] + gamma * next;
      return_T[entry] = next;
    }
  }
  return return_T;
}

}  // namespace covrl
