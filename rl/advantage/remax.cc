// ReMax (arXiv 2310.10505): the reward still to come minus the reward of the prompt's greedy
// completion.
#include "core/error.h"
#include "rl/advantage/token_returns.h"

namespace covrl {
namespace {

class ReMax : public AdvantageEstimator {
 public:
  AdvantageEstimate estimate(const AdvantageInput& input) const override {
    COVRL_CHECK(input.baseline.size() == input.num_sequences(),
                "remax needs a baseline per completion, has ", input.baseline.size(), " for ",
                input.num_sequences());
    AdvantageEstimate result;
    result.return_T = token_returns(input, /*gamma=*/1);
    result.advantage_T = result.return_T;
    for (size_t n = 0; n < input.num_sequences(); ++n)
      for (int64_t t = input.cu_seqlens[n]; t < input.cu_seqlens[n + 1]; ++t)
        if (const auto entry = static_cast<size_t>(t); input.mask_T[entry])
          result.advantage_T[entry] -= input.baseline[n];
    return result;
  }

  bool needs_baseline() const override { return true; }
};

}  // namespace

std::unique_ptr<AdvantageEstimator> make_remax(const AdvantageConfig&) {
  return std::make_unique<ReMax>();
}

}  // namespace covrl
