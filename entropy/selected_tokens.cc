#include "entropy/selected_tokens.h"

#include <ATen/ATen.h>

#include "entropy/covariance.h"

namespace covrl {

std::vector<SelectedToken> most_covariant(const ControlView& view, const at::Tensor& selected_T,
                                          int64_t limit) {
  kernels::CovarianceInput tokens =
      covariance_input(view.logprob_T, view.advantage_T, view.mask_T, view.token_ids);
  const kernels::CovarianceMoments moments = kernels::covariance_moments(tokens);
  tokens.mask_T = tokens.mask_T & selected_T;
  const std::vector<int64_t> places = kernels::largest_covariance(tokens, moments, limit);
  const std::vector<double> logprob = values_at(view.logprob_T, places),
                            old_logprob = values_at(view.old_logprob_T, places),
                            advantage = values_at(view.advantage_T, places);
  std::vector<SelectedToken> result;
  for (size_t i = 0; i < places.size(); ++i)
    result.push_back(
        {places[i], logprob[i], old_logprob[i], advantage[i],
         (logprob[i] - moments.mean_logprob) * (advantage[i] - moments.mean_advantage)});
  return result;
}

}  // namespace covrl
