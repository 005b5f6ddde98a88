// AdamW over the parameters of a model, with gradient clipping and a learning-rate schedule.
// Parameters of 16 bits are stepped through a float32 master copy.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "core/config.h"

namespace covrl {

struct OptimizerConfig {
  double lr = 1e-6;
  double beta1 = 0.9, beta2 = 0.999, eps = 1e-8;
  double weight_decay = 0.01;
  bool decay_1d_params = true;           // false: norms and biases are not decayed
  double grad_clip = 1.0;                // 0: off
  std::string lr_schedule = "constant";  // "constant", "linear", "cosine"
  int64_t lr_warmup_steps = 0;
  double lr_min_ratio = 0.0;  // end of the schedule, as a share of lr
  void describe(config::Visitor& v);
  bool operator==(const OptimizerConfig&) const = default;
};

// Learning rate of update `step` (from 1) of `total` updates.
double scheduled_lr(const OptimizerConfig& config, int64_t step, int64_t total);

class Optimizer {
 public:
  Optimizer(OptimizerConfig config,
            const std::vector<std::pair<std::string, at::Tensor>>& parameters);
  // flat_grad: order and size of the parameters, on any device. Steps in place; returns the
  // learning rate used.
  double step(const at::Tensor& flat_grad, double grad_norm, int64_t total_steps);
  int64_t num_steps() const { return num_steps_; }

  // State for checkpoints: names "exp_avg.NAME", "exp_avg_sq.NAME", "master.NAME" for parameters of
  // 16 bits, and the step count apart.
  std::vector<std::pair<std::string, at::Tensor>> state() const;
  void load_state(const std::vector<std::pair<std::string, at::Tensor>>& state, int64_t num_steps);

 private:
  OptimizerConfig config_;
  std::vector<std::pair<std::string, at::Tensor>> parameters_;
  std::vector<at::Tensor> masters_;  // undefined for float32 parameters
  at::Tensor exp_avg_, exp_avg_sq_;  // flat float32
  int64_t num_steps_ = 0;
};

}  // namespace covrl
