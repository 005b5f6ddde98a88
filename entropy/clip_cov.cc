// Clip-Cov (arXiv 2505.22617, section 4.2): a few tokens of large covariance learn nothing.
//
// Candidates: tokens with clip_cov_lb < covariance < clip_cov_ub (both strict, as in the reference
// implementation; the paper's interval is closed) that the policy loss does not clip already. Of
// them max(1, floor(clip_cov_ratio * tokens)) are chosen, uniformly and without replacement; all
// when there are fewer. The choice is a draw per token from (seed, update, token id), the smallest
// win: neither ranks, micro-batches nor order matter.
//
// A chosen token's policy-loss term becomes 0, in value and gradient, and still counts in the
// denominator, as in the reference implementation. The paper detaches it and keeps the value: the
// gradient is the same.
#include <ATen/ATen.h>

#include "core/rng.h"
#include "entropy/covariance.h"
#include "entropy/covariance_control.h"
#include "entropy/top_k.h"

namespace covrl {
namespace {

// Of `candidates` (indices of tokens), the k with the smallest draws.
std::vector<int64_t> draw(const std::vector<int64_t>& candidates, const MaskedTokens& tokens,
                          const ControlView& view, int64_t k) {
  std::vector<double> priority;
  std::vector<int64_t> ids;
  for (const int64_t candidate : candidates) {
    const int64_t id = tokens.ids[static_cast<size_t>(candidate)];
    priority.push_back(-uniform(view.seed, Stream::kClipCov,
                                {.step = view.step,
                                 .prompt = static_cast<uint64_t>(id) >> 32,
                                 .sample = static_cast<uint32_t>(id)}));
    ids.push_back(id);
  }
  std::vector<int64_t> chosen;
  for (const int64_t index : top_k(priority, ids, k))
    chosen.push_back(candidates[static_cast<size_t>(index)]);
  return chosen;
}

class ClipCovControl : public CovarianceControl {
 public:
  explicit ClipCovControl(const EntropyControlConfig& config)
      : CovarianceControl(config, "clip_cov") {}

  at::Tensor select(const ControlView& view) override {
    const MaskedTokens tokens = masked_tokens(view.mask_T, view.token_id_T);
    const std::vector<double> covariance =
        covariances(tokens.values(view.logprob_T), tokens.values(view.advantage_T));
    const std::vector<double> clipped = tokens.values(view.clipped_T);
    std::vector<int64_t> candidates;
    for (size_t i = 0; i < tokens.size(); ++i)
      if (covariance[i] > config_.clip_cov_lb && covariance[i] < config_.clip_cov_ub &&
          clipped[i] == 0)
        candidates.push_back(static_cast<int64_t>(i));
    const int64_t quota = quota_of(config_.clip_cov_ratio * set_point_.strength(), tokens.size());
    const std::vector<int64_t> chosen = draw(candidates, tokens, view, quota);
    tally_.add(view, tokens, chosen, static_cast<int64_t>(candidates.size()), quota);
    return mask_of(tokens, chosen, view.mask_T);
  }

  at::Tensor apply(const ControlTerms& terms) const override {
    return terms.selected_T.defined() ? at::where(terms.selected_T, 0.0, terms.loss_T)
                                      : terms.loss_T;
  }

  void report(Metrics& metrics) override {
    metrics.set("entropy_ctrl/cov_clipfrac", tally_.selected_frac());
    CovarianceControl::report(metrics);
  }
};

}  // namespace

std::unique_ptr<EntropyControl> make_clip_cov_control(const EntropyControlConfig& config) {
  return std::make_unique<ClipCovControl>(config);
}

}  // namespace covrl
