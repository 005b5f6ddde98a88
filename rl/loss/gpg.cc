// GPG (arXiv 2504.02546): the term of REINFORCE; what is its own is the estimator of that name.
#include "rl/loss/policy_loss.h"

namespace covrl {

std::unique_ptr<PolicyLoss> make_reinforce_loss(const PolicyLossConfig& config);

std::unique_ptr<PolicyLoss> make_gpg_loss(const PolicyLossConfig& config) {
  return make_reinforce_loss(config);
}

}  // namespace covrl
