#include "entropy/selected_tokens.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "entropy/covariance.h"
#include "entropy/top_k.h"

namespace covrl {

std::vector<SelectedToken> most_covariant(const ControlView& view, const at::Tensor& selected_T,
                                          int64_t limit) {
  const kernels::CovarianceInput tokens =
      covariance_input(view.logprob_T, view.advantage_T, view.mask_T, view.token_ids);
  const at::Tensor covariance_T = kernels::covariance(tokens);
  const double* covariance = covariance_T.const_data_ptr<double>();
  std::vector<int64_t> places =
      top_k(covariance_T, tokens.mask_T & selected_T.cpu(), tokens.ids, limit);
  std::sort(places.begin(), places.end(), [&](int64_t a, int64_t b) {
    if (covariance[a] > covariance[b]) return true;
    return !(covariance[a] < covariance[b]) && tokens.ids.precedes(a, b);
  });
  const std::vector<double> logprob = values_at(view.logprob_T, places),
                            old_logprob = values_at(view.old_logprob_T, places),
                            advantage = values_at(view.advantage_T, places);
  std::vector<SelectedToken> result;
  for (size_t i = 0; i < places.size(); ++i)
    result.push_back({places[i], logprob[i], old_logprob[i], advantage[i], covariance[places[i]]});
  return result;
}

}  // namespace covrl
