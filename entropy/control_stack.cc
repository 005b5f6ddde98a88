#include "entropy/control_stack.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "core/error.h"

namespace covrl {
namespace {

// The view with every [T] tensor restricted to `places` (int64).
ControlView part_of(const ControlView& view, const at::Tensor& places) {
  ControlView part = view;
  for (at::Tensor ControlView::*member :
       {&ControlView::logprob_T, &ControlView::old_logprob_T, &ControlView::advantage_T,
        &ControlView::entropy_T, &ControlView::clipped_T, &ControlView::mask_T,
        &ControlView::micro_batch_T})
    part.*member = (view.*member).index_select(0, places);
  part.token_ids =
      view.token_ids.at({places.const_data_ptr<int64_t>(), static_cast<size_t>(places.numel())});
  return part;
}

at::Tensor select_per_micro_batch(EntropyControl& control, const ControlView& view) {
  at::Tensor selected = at::zeros_like(view.mask_T);
  const int64_t num_micro_batches =
      view.micro_batch_T.numel() == 0 ? 0 : view.micro_batch_T.max().item<int64_t>() + 1;
  for (int64_t index = 0; index < num_micro_batches; ++index) {
    const at::Tensor places = at::nonzero(view.micro_batch_T == index).flatten();
    const at::Tensor chosen = control.select(part_of(view, places));
    if (chosen.defined()) selected.index_copy_(0, places, chosen.cpu());
  }
  return selected;
}

}  // namespace

ControlStack::ControlStack(const EntropyControlConfig& config)
    : score_current_(config.score == "current"), per_micro_batch_(config.scope == "micro") {
  for (const std::string& kind : config.kind)
    controls_.push_back(make_entropy_control(kind, config));
}

bool ControlStack::selects() const {
  return std::any_of(controls_.begin(), controls_.end(),
                     [](const auto& control) { return control->selects(); });
}

std::vector<at::Tensor> ControlStack::select(const ControlView& view) {
  std::vector<at::Tensor> selected;
  for (const auto& control : controls_) {
    if (!control->selects())
      selected.emplace_back();
    else if (per_micro_batch_)
      selected.push_back(select_per_micro_batch(*control, view));
    else
      selected.push_back(control->select(view));
  }
  return selected;
}

void ControlStack::check_selected(const std::vector<at::Tensor>& selected) const {
  COVRL_CHECK(selected.empty() || selected.size() == controls_.size(), selected.size(),
              " selections for ", controls_.size(), " controls");
}

at::Tensor ControlStack::apply(ControlTerms terms, const std::vector<at::Tensor>& selected) const {
  check_selected(selected);
  for (size_t i = 0; i < controls_.size(); ++i) {
    terms.selected_T = selected.empty() ? at::Tensor() : selected[i];
    terms.loss_T = controls_[i]->apply(terms);
  }
  return terms.loss_T;
}

bool ControlStack::fuse(const std::vector<at::Tensor>& selected, FusedControls& fused) const {
  check_selected(selected);
  for (size_t i = 0; i < controls_.size(); ++i)
    if (!controls_[i]->fuse(selected.empty() ? at::Tensor() : selected[i], fused)) return false;
  return true;
}

void ControlStack::observe(double entropy) {
  for (const auto& control : controls_) control->observe(entropy);
}

void ControlStack::report(Metrics& metrics) {
  for (const auto& control : controls_) control->report(metrics);
}

std::map<std::string, double> ControlStack::state() const {
  std::map<std::string, double> all;
  for (const auto& control : controls_) all.merge(control->state());
  return all;
}

void ControlStack::load_state(const std::map<std::string, double>& state) {
  for (const auto& control : controls_) control->load_state(state);
}

}  // namespace covrl
