// Generalised advantage estimation (arXiv 1506.02438), whitened over the batch:
//   delta_t = r_t + gamma V_{t+1} - V_t,  A_t = delta_t + gamma lam A_{t+1},  return_t = A_t + V_t.
// The token after t is the next one that counts: what lies between (an observation) is stepped
// over, and after the last there is nothing. Returns are not whitened.
#include "core/error.h"
#include "rl/advantage/advantage.h"
#include "rl/advantage/whiten.h"

namespace covrl {
namespace {

class Gae : public AdvantageEstimator {
 public:
  Gae(double gamma, double lam) : gamma_(gamma), lam_(lam) {}

  AdvantageEstimate estimate(const AdvantageInput& input) const override {
    COVRL_CHECK(input.value_T.size() == input.mask_T.size(), "gae needs a value per token, has ",
                input.value_T.size(), " for ", input.mask_T.size());
    AdvantageEstimate result;
    result.advantage_T.resize(input.mask_T.size());
    result.return_T.resize(input.mask_T.size());
    for (size_t n = 0; n < input.num_sequences(); ++n) add_sequence(input, n, result);
    whiten(result.advantage_T, input.mask_T);
    return result;
  }

 private:
  void add_sequence(const AdvantageInput& input, size_t sequence, AdvantageEstimate& result) const {
    double next_value = 0, next_advantage = 0;
    for (int64_t t = input.cu_seqlens[sequence + 1]; t-- > input.cu_seqlens[sequence];) {
      const auto entry = static_cast<size_t>(t);
      if (!input.mask_T[entry]) continue;
      const double value = input.value_T[entry];
      const double delta = input.reward_T[entry] + gamma_ * next_value - value;
      next_advantage = delta + gamma_ * lam_ * next_advantage;
      next_value = value;
      result.advantage_T[entry] = next_advantage;
      result.return_T[entry] = next_advantage + value;
    }
  }

  double gamma_, lam_;
};

}  // namespace

std::unique_ptr<AdvantageEstimator> make_gae(const AdvantageConfig& config) {
  return std::make_unique<Gae>(config.gamma, config.lam);
}

}  // namespace covrl
