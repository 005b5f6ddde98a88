// The loops of token_policy_loss on the CPU over one block of tokens, vectorised for the processor
// at run time; Real is float or double. The exponentials are taken by the caller.
#pragma once

#include <array>
#include <cstdint>

#include "kernels/policy_loss_terms.h"

namespace covrl::kernels {

// Tokens whose sums are added up before they are added to the total: the order of additions does
// not depend on threads.
inline constexpr int64_t kPolicyLossBlock = 4096;

// At most kPolicyLossBlock tokens. What may be null is left out.
template <class Real>
struct PolicyLossRange {
  const Real* logprob = nullptr;
  const Real* old_logprob = nullptr;
  const Real* advantage = nullptr;
  const Real* entropy = nullptr;
  const Real* ref_logprob = nullptr;     // null: no KL term
  const Real* rollout_weight = nullptr;  // null: 1
  const bool* mask = nullptr;
  const bool* dropped = nullptr;   // may be null
  const bool* pulled = nullptr;    // null: no pull
  const double* weight = nullptr;  // of the reduction
  Real* grad_logprob = nullptr;    // null: no gradients
  Real* grad_entropy = nullptr;    // may be null
  int64_t count = 0;
};

// Rows of exponents [3][kPolicyLossBlock]: of the ratio, of a k3 pull, of a k3 KL. Those that the
// terms do not have are not touched.
enum class PolicyLossExponent { kRatio, kPull, kKl, kCount };
inline constexpr size_t kNumPolicyLossExponents = static_cast<size_t>(PolicyLossExponent::kCount);
template <class Real>
struct PolicyLossExponents {
  std::array<Real*, kNumPolicyLossExponents> rows = {};  // null: not needed
};

template <class Real>
void policy_loss_exponents(const PolicyLossRange<Real>& range,
                           const PolicyLossExponents<Real>& exponents);

// Sums and gradients of the block, from exponents that have become exponentials.
using PolicyLossSums = std::array<double, kNumPolicyLossSums>;
template <class Real>
PolicyLossSums policy_loss_block(const PolicyLossRange<Real>& range, const PolicyLossTerms& terms,
                                 const PolicyLossExponents<Real>& exponentials);

}  // namespace covrl::kernels
