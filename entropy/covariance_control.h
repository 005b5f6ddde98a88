// What Clip-Cov and KL-Cov share: they select by covariance, count what they selected, and can be
// made stronger or weaker to hold an entropy band.
#pragma once

#include <map>
#include <string>

#include "entropy/control.h"
#include "entropy/covariance.h"
#include "entropy/selection_tally.h"
#include "entropy/set_point.h"

namespace covrl {

class CovarianceControl : public EntropyControl {
 public:
  // `name`: of the control in checkpoints.
  CovarianceControl(const EntropyControlConfig& config, std::string name)
      : config_(config), set_point_(config.set_point), name_(std::move(name)) {}

  bool selects() const override { return true; }
  void observe(double entropy) override { set_point_.observe(entropy); }
  void report(Metrics& metrics) override {
    tally_.report(metrics);
    set_point_.report(metrics);
  }
  std::map<std::string, double> state() const override { return set_point_.state(name_); }
  void load_state(const std::map<std::string, double>& state) override {
    set_point_.load_state(name_, state);
  }

 protected:
  // The view's tokens, on its device.
  static kernels::CovarianceInput tokens_of(const ControlView& view) {
    return covariance_input(view.logprob_T, view.advantage_T, view.mask_T, view.token_ids,
                            view.device);
  }

  EntropyControlConfig config_;
  SetPoint set_point_;
  SelectionTally tally_;

 private:
  std::string name_;
};

}  // namespace covrl
