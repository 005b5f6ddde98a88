// Entropy control: what keeps the policy exploring. A control sees the whole optimizer mini-batch
// once (select), then shapes the per-token terms of each micro-batch (apply).
//
// A new control is one file here and one line in table.cc.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/config.h"
#include "core/metrics.h"

namespace covrl {

// The whole mini-batch, the same on every rank. All [T] over its packed tokens.
struct ControlView {
  at::Tensor logprob_T;  // of the policy being updated (see `score`)
  at::Tensor old_logprob_T;
  at::Tensor advantage_T;
  at::Tensor entropy_T;
  at::Tensor mask_T;      // bool
  at::Tensor token_id_T;  // int64: global id of the token, from (slot, sample, position); for ties
                          // and random choices
  uint64_t seed = 0;
  uint64_t step = 0;  // optimizer update counter
};

// What was selected, in the mini-batch's order. Undefined: nothing.
struct Selection {
  at::Tensor selected_T;  // bool
};

// Per-token terms of one micro-batch, with gradient.
struct ControlTerms {
  at::Tensor loss_T;  // policy-loss terms
  at::Tensor logprob_T;
  at::Tensor old_logprob_T;
  at::Tensor entropy_T;   // with gradient
  at::Tensor selected_T;  // the micro-batch's part of the selection; undefined: nothing
};

struct EntropyControlConfig {
  std::string kind = "none";   // table.cc
  double entropy_coeff = 0.0;  // bonus: loss -= coeff * entropy; either sign
  void describe(config::Visitor& v);
};

class EntropyControl {
 public:
  virtual ~EntropyControl() = default;
  virtual Selection select(const ControlView&) { return {}; }
  // Shaped per-token loss; the reduction comes after.
  virtual at::Tensor apply(const ControlTerms& terms) const { return terms.loss_T; }
  virtual void report(Metrics&) const {}
};

std::vector<std::string> entropy_control_names();
std::unique_ptr<EntropyControl> make_entropy_control(const EntropyControlConfig& config);

}  // namespace covrl
