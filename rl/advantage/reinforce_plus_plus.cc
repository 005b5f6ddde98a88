// REINFORCE++ (arXiv 2501.03262): the discounted return of each token, whitened over the batch.
// Prompts are not compared with themselves: an easy prompt's completions are all above average.
#include "rl/advantage/token_returns.h"
#include "rl/advantage/whiten.h"

namespace covrl {
namespace {

class ReinforcePlusPlus : public AdvantageEstimator {
 public:
  explicit ReinforcePlusPlus(double gamma) : gamma_(gamma) {}

  AdvantageEstimate estimate(const AdvantageInput& input) const override {
    AdvantageEstimate result;
    result.return_T = token_returns(input, gamma_);
    result.advantage_T = result.return_T;
    whiten(result.advantage_T, input.mask_T);
    return result;
  }

 private:
  double gamma_;
};

}  // namespace

std::unique_ptr<AdvantageEstimator> make_reinforce_plus_plus(const AdvantageConfig& config) {
  return std::make_unique<ReinforcePlusPlus>(config.gamma);
}

}  // namespace covrl
