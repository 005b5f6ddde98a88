#include "entropy/selected_tokens.h"

#include <ATen/ATen.h>

#include <limits>

#include "entropy/covariance.h"
#include "entropy/top_k.h"

namespace covrl {

std::vector<SelectedToken> most_covariant(const ControlView& view, const at::Tensor& selected_T,
                                          int64_t limit) {
  const MaskedTokens tokens = masked_tokens(view.mask_T, view.token_id_T);
  const std::vector<double> logprob = tokens.values(view.logprob_T),
                            old_logprob = tokens.values(view.old_logprob_T),
                            advantage = tokens.values(view.advantage_T),
                            selected = tokens.values(selected_T);
  const std::vector<double> covariance = covariances(logprob, advantage);
  std::vector<double> of_selected = covariance;
  int64_t num_selected = 0;
  for (size_t i = 0; i < tokens.size(); ++i) {
    if (selected[i] == 0) of_selected[i] = -std::numeric_limits<double>::infinity();
    num_selected += selected[i] != 0;
  }
  std::vector<SelectedToken> result;
  for (const int64_t index : top_k(of_selected, tokens.ids, std::min(limit, num_selected))) {
    const size_t i = static_cast<size_t>(index);
    result.push_back({tokens.entries[i], logprob[i], old_logprob[i], advantage[i], covariance[i]});
  }
  return result;
}

}  // namespace covrl
