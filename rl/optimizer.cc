#include "rl/optimizer.h"

#include <ATen/ATen.h>
#include <ATen/record_function.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "core/error.h"
#include "kernels/adamw.h"

namespace covrl {
namespace {

constexpr double kNormEpsilon = 1e-6;

std::vector<at::Tensor> slices(const at::Tensor& flat,
                               const std::vector<std::pair<std::string, at::Tensor>>& parameters) {
  std::vector<at::Tensor> parts;
  int64_t offset = 0;
  for (const auto& [name, parameter] : parameters) {
    parts.push_back(flat.narrow(0, offset, parameter.numel()));
    offset += parameter.numel();
  }
  COVRL_CHECK(offset == flat.numel(), "a flat buffer of ", flat.numel(), " elements for ", offset);
  return parts;
}

}  // namespace

void OptimizerConfig::describe(config::Visitor& v) {
  v.field("lr", lr, "Learning rate of AdamW at its peak.", {0, 1});
  v.field("beta1", beta1, "Decay of the gradient's running mean.", {0, 0.9999999});
  v.field("beta2", beta2, "Decay of the squared gradient's running mean.", {0, 0.9999999});
  v.field("eps", eps, "Added to the root of the squared gradient's mean.", {0, 1});
  v.field("weight_decay", weight_decay, "Decoupled weight decay.", {0, 10});
  v.field("decay_1d_params", decay_1d_params,
          "Decay norms and biases as well, as PyTorch does unless told otherwise.");
  v.field("grad_clip", grad_clip,
          "Largest L2 norm of the gradient; a longer one is scaled down to it. 0: off.", {0, 1e9});
  v.word("lr_schedule", lr_schedule, "Learning rate after the warm-up.",
         {"constant", "linear", "cosine"});
  v.field("lr_warmup_steps", lr_warmup_steps,
          "Updates over which the learning rate rises linearly to lr.", {0, 1e9});
  v.field("lr_min_ratio", lr_min_ratio,
          "Learning rate at the end of the schedule, as a share of lr.", {0, 1});
  // A knob without effect is refused unless it has its default, so that a resolved copy can be
  // read.
  const OptimizerConfig defaults;
  v.check(lr_schedule != "constant" || lr_min_ratio == defaults.lr_min_ratio, "lr_min_ratio",
          "has no effect with lr_schedule constant; set lr_schedule: linear or cosine, or remove "
          "the key");
  v.check(weight_decay > 0 || decay_1d_params == defaults.decay_1d_params, "decay_1d_params",
          "has no effect with weight_decay 0; set weight_decay, or remove the key");
  v.check(
      lr > 0 || (weight_decay == defaults.weight_decay && lr_schedule == defaults.lr_schedule &&
                 lr_warmup_steps == defaults.lr_warmup_steps),
      "lr",
      "is 0, so that weight_decay, lr_schedule and lr_warmup_steps have no effect; give a learning "
      "rate");
}

double scheduled_lr(const OptimizerConfig& config, int64_t step, int64_t total) {
  COVRL_CHECK(step >= 1, "updates count from 1, not ", step);
  const double warmup = static_cast<double>(config.lr_warmup_steps);
  if (step <= config.lr_warmup_steps) return config.lr * static_cast<double>(step) / warmup;
  const double done = static_cast<double>(step) - 1 - warmup;
  const double progress =
      std::clamp(done / std::max(1.0, static_cast<double>(total) - warmup), 0.0, 1.0);
  double share = 1;  // constant
  if (config.lr_schedule == "linear") share = 1 - progress;
  if (config.lr_schedule == "cosine") share = 0.5 * (1 + std::cos(std::numbers::pi * progress));
  return config.lr * (config.lr_min_ratio + (1 - config.lr_min_ratio) * share);
}

Optimizer::Optimizer(OptimizerConfig config,
                     const std::vector<std::pair<std::string, at::Tensor>>& parameters)
    : config_(std::move(config)), parameters_(parameters) {
  int64_t total = 0;
  for (const auto& [name, parameter] : parameters_) {
    const bool wide = parameter.scalar_type() == at::kFloat;
    COVRL_CHECK(
        (wide || at::isReducedFloatingType(parameter.scalar_type())) && parameter.is_contiguous(),
        name, " is not contiguous float32, bfloat16 or float16");
    masters_.push_back(wide ? at::Tensor() : parameter.detach().to(at::kFloat));
    total += parameter.numel();
  }
  const at::Device device = parameters_.empty() ? at::kCPU : parameters_.front().second.device();
  exp_avg_ = at::zeros({total}, at::TensorOptions(device).dtype(at::kFloat));
  exp_avg_sq_ = at::zeros_like(exp_avg_);
}

double Optimizer::step(const at::Tensor& flat_grad, double grad_norm, int64_t total_steps) {
  RECORD_USER_SCOPE("optimizer");
  const at::NoGradGuard no_grad;
  ++num_steps_;
  kernels::AdamwStep step;
  step.lr = scheduled_lr(config_, num_steps_, total_steps);
  step.beta1 = config_.beta1;
  step.beta2 = config_.beta2;
  step.eps = config_.eps;
  step.grad_scale =
      config_.grad_clip > 0 ? std::min(1.0, config_.grad_clip / (grad_norm + kNormEpsilon)) : 1.0;
  step.step = num_steps_;
  const std::vector<at::Tensor> gradients = slices(flat_grad.to(exp_avg_.device()), parameters_);
  const std::vector<at::Tensor> means = slices(exp_avg_, parameters_);
  const std::vector<at::Tensor> squares = slices(exp_avg_sq_, parameters_);
  for (size_t p = 0; p < parameters_.size(); ++p) {
    const at::Tensor values = parameters_[p].second.detach().view({-1});
    const bool decayed = config_.decay_1d_params || parameters_[p].second.dim() > 1;
    step.weight_decay = decayed ? config_.weight_decay : 0;
    const at::Tensor& master = masters_[p];
    if (master.defined())
      kernels::adamw({master.view({-1}), gradients[p], means[p], squares[p], values}, step);
    else
      kernels::adamw({values, gradients[p], means[p], squares[p]}, step);
  }
  return step.lr;
}

std::vector<std::pair<std::string, at::Tensor>> Optimizer::state() const {
  std::vector<std::pair<std::string, at::Tensor>> state;
  const std::vector<at::Tensor> means = slices(exp_avg_, parameters_);
  const std::vector<at::Tensor> squares = slices(exp_avg_sq_, parameters_);
  for (size_t p = 0; p < parameters_.size(); ++p) {
    const auto& [name, parameter] = parameters_[p];
    state.emplace_back("exp_avg." + name, means[p].view(parameter.sizes()));
    state.emplace_back("exp_avg_sq." + name, squares[p].view(parameter.sizes()));
    if (masters_[p].defined()) state.emplace_back("master." + name, masters_[p]);
  }
  return state;
}

void Optimizer::load_state(const std::vector<std::pair<std::string, at::Tensor>>& state,
                           int64_t num_steps) {
  const std::vector<std::pair<std::string, at::Tensor>> own = this->state();
  if (state.size() != own.size())
    throw_usage("optimizer state: ", state.size(), " tensors, the model needs ", own.size(),
                "; resume with the model that the checkpoint was made with");
  for (const auto& [name, target] : own) {
    const auto found = std::find_if(state.begin(), state.end(),
                                    [&n = name](const auto& entry) { return entry.first == n; });
    if (found == state.end()) throw_usage("optimizer state: ", name, " is missing");
    if (found->second.sizes() != target.sizes() || found->second.scalar_type() != at::kFloat)
      throw_usage("optimizer state: ", name, " is ", found->second.toString(), " of shape ",
                  found->second.sizes(), ", allowed: float32 of shape ", target.sizes());
    at::Tensor destination = target;
    destination.copy_(found->second);
  }
  num_steps_ = num_steps;
}

}  // namespace covrl
