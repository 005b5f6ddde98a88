// Entropy control: what keeps the policy exploring. A control sees the whole optimizer mini-batch
// once (select), then shapes the per-token terms of each micro-batch (apply).
//
// A new control is one file here and one line in table.cc; docs/entropy.md has a complete example.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/metrics.h"
#include "entropy/control_config.h"
#include "entropy/fused_controls.h"
#include "kernels/token_ids.h"

namespace covrl {

// The whole mini-batch, the same on every rank. All [T] over its packed tokens, on the host; what
// lies outside the mask is never read.
struct ControlView {
  at::Tensor logprob_T;  // of the policy being updated (see `score`)
  at::Tensor old_logprob_T;
  at::Tensor advantage_T;
  at::Tensor entropy_T;
  at::Tensor clipped_T;         // bool: the policy loss clips the token already
  at::Tensor mask_T;            // bool
  kernels::TokenIds token_ids;  // [T] global id of the token, from (slot, sample, position); for
                                // ties and random choices
  at::Tensor micro_batch_T;     // int64: the token's micro-batch, for `scope: micro`
  uint64_t seed = 0;
  uint64_t step = 0;             // optimizer update counter
  at::Device device = at::kCPU;  // of the policy: a selection can be made there and left there
};

// Per-token terms of one micro-batch, with gradient; 0 outside the mask.
struct ControlTerms {
  at::Tensor loss_T;  // policy-loss terms, shaped by the controls before
  at::Tensor logprob_T;
  at::Tensor old_logprob_T;
  at::Tensor entropy_T;   // with gradient
  at::Tensor selected_T;  // bool: this control's selection; undefined: nothing
};

class EntropyControl {
 public:
  virtual ~EntropyControl() = default;
  // Whether it needs select(), and so the log-probs that `score` names.
  virtual bool selects() const { return false; }
  // bool [T] on the host or the view's device, false outside the mask; undefined: nothing. The same
  // on every rank.
  virtual at::Tensor select(const ControlView&) { return {}; }
  // Shaped per-token loss; the reduction comes after.
  virtual at::Tensor apply(const ControlTerms& terms) const { return terms.loss_T; }
  // apply() as part of the fused loss, given this control's selection; false: it has no such form.
  virtual bool fuse(const at::Tensor& /*selected_T*/, FusedControls&) const { return false; }
  // Before the updates of each rollout step: its token-mean entropy. Where adaptive controls move.
  virtual void observe(double /*entropy*/) {}
  // What it did since the last report, as entropy_ctrl/... metrics.
  virtual void report(Metrics&) {}
  // What an adaptive control has to remember over an interruption, by name.
  virtual std::map<std::string, double> state() const { return {}; }
  virtual void load_state(const std::map<std::string, double>&) {}
};

std::vector<std::string> entropy_control_names();
std::unique_ptr<EntropyControl> make_entropy_control(const std::string& kind,
                                                     const EntropyControlConfig& config);

}  // namespace covrl
