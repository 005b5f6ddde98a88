// The controls of a run, applied one after another.
//
// `score` says by which log-probs they select. current: those of the policy being updated; on the
// first update after a rollout they equal the behaviour's at no cost, later an additional pass
// without gradient over the mini-batch computes them. old: the behaviour's in every update, without
// that pass.
// `scope` says among which tokens they select. mini: the whole optimizer mini-batch over all ranks,
// so that micro-batches and ranks change nothing. micro: each micro-batch for itself, as the
// reference implementation of Clip-Cov and KL-Cov does (PRIME-RL/Entropy-Mechanism-of-RL); for
// comparison only.
#pragma once

#include <ATen/core/Tensor.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/metrics.h"
#include "entropy/control.h"

namespace covrl {

class ControlStack {
 public:
  explicit ControlStack(const EntropyControlConfig& config);

  bool selects() const;
  // Whether select() wants the current log-probs.
  bool wants_current() const { return selects() && score_current_; }

  // One selection per control, bool [T] or undefined.
  std::vector<at::Tensor> select(const ControlView& view);
  // terms.selected_T is ignored; `selected` has one entry per control, or none at all.
  at::Tensor apply(ControlTerms terms, const std::vector<at::Tensor>& selected) const;
  // The same as part of the fused loss; false: one of the controls has no place in it.
  bool fuse(const std::vector<at::Tensor>& selected, FusedControls& fused) const;

  void observe(double entropy);
  void report(Metrics& metrics);
  std::map<std::string, double> state() const;
  void load_state(const std::map<std::string, double>& state);

 private:
  void check_selected(const std::vector<at::Tensor>& selected) const;

  std::vector<std::unique_ptr<EntropyControl>> controls_;
  bool score_current_;
  bool per_micro_batch_;
};

}  // namespace covrl
