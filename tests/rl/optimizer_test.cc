#include "rl/optimizer.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>

#include "core/error.h"
#include "core/rng.h"

namespace covrl {
namespace {

using Parameters = std::vector<std::pair<std::string, at::Tensor>>;

at::Tensor normal(at::IntArrayRef shape, uint64_t salt) {
  Sequence draws(3, Stream::kTest, salt);
  at::Tensor values = at::empty(shape);
  for (int64_t i = 0; i < values.numel(); ++i)
    values.mutable_data_ptr<float>()[i] = static_cast<float>(draws.normal());
  return values;
}

Parameters make_parameters() {
  return {{"layer.weight", normal({4, 3}, 1).requires_grad_()},
          {"norm.weight", normal({5}, 2).requires_grad_()}};
}

at::Tensor gradient_of(int64_t step) { return normal({17}, 100 + static_cast<uint64_t>(step)); }

OptimizerConfig make_config() {
  OptimizerConfig config;
  config.lr = 0.01;
  config.weight_decay = 0.1;
  config.grad_clip = 1.5;
  config.lr_schedule = "cosine";
  config.lr_warmup_steps = 2;
  return config;
}

at::Tensor flat_values(const Parameters& parameters) {
  std::vector<at::Tensor> parts;
  for (const auto& [name, parameter] : parameters)
    parts.push_back(parameter.detach().flatten().clone());
  return at::cat(parts);
}

// AdamW as its paper has it, one element after another, in double.
struct PlainAdamw {
  std::vector<double> value, mean, square;

  explicit PlainAdamw(const at::Tensor& start) : mean(17), square(17) {
    for (int64_t i = 0; i < start.numel(); ++i) value.push_back(start[i].item<double>());
  }
  void step(const OptimizerConfig& config, const at::Tensor& gradient, int64_t step,
            int64_t total) {
    const double norm = gradient.to(at::kDouble).norm().item<double>();
    const double scale = config.grad_clip > 0 ? std::min(1.0, config.grad_clip / (norm + 1e-6)) : 1;
    const double lr = scheduled_lr(config, step, total);
    for (size_t i = 0; i < value.size(); ++i) {
      const double g = scale * gradient[static_cast<int64_t>(i)].item<double>();
      const double decay = config.decay_1d_params || i < 12 ? config.weight_decay : 0;
      mean[i] = config.beta1 * mean[i] + (1 - config.beta1) * g;
      square[i] = config.beta2 * square[i] + (1 - config.beta2) * g * g;
      const double corrected_mean = mean[i] / (1 - std::pow(config.beta1, step));
      const double corrected_square = square[i] / (1 - std::pow(config.beta2, step));
      value[i] -= lr * decay * value[i];
      value[i] -= lr * corrected_mean / (std::sqrt(corrected_square) + config.eps);
    }
  }
};

double norm_of(const at::Tensor& gradient) {
  return gradient.to(at::kDouble).norm().item<double>();
}

TEST(OptimizerTest, EqualsPlainAdamw) {
  for (bool decay_1d_params : {true, false})
    for (double grad_clip : {0.0, 1.5, 100.0}) {
      OptimizerConfig config = make_config();
      config.decay_1d_params = decay_1d_params;
      config.grad_clip = grad_clip;
      Parameters parameters = make_parameters();
      PlainAdamw plain(flat_values(parameters));
      Optimizer optimizer(config, parameters);
      for (int64_t step = 1; step <= 8; ++step) {
        const at::Tensor gradient = gradient_of(step);
        EXPECT_DOUBLE_EQ(optimizer.step(gradient, norm_of(gradient), 10),
                         scheduled_lr(config, step, 10));
        plain.step(config, gradient, step, 10);
      }
      EXPECT_EQ(optimizer.num_steps(), 8);
      // A few float32 roundings a step, of values near 1.
      EXPECT_TRUE(at::allclose(flat_values(parameters).to(at::kDouble),
                               at::tensor(plain.value, at::kDouble), 1e-6, 1e-6));
    }
}

TEST(OptimizerTest, ZeroGradientOnlyDecays) {
  OptimizerConfig config = make_config();
  config.lr_schedule = "constant";
  config.lr_warmup_steps = 0;
  Parameters parameters = make_parameters();
  const at::Tensor before = flat_values(parameters);
  Optimizer optimizer(config, parameters);
  optimizer.step(at::zeros({17}), 0, 1);
  EXPECT_TRUE(at::allclose(flat_values(parameters), before * (1 - 0.01 * 0.1), 1e-6, 0));
}

TEST(OptimizerTest, GoesOnFromItsStateBitForBit) {
  Parameters parameters = make_parameters();
  Optimizer optimizer(make_config(), parameters);
  for (int64_t step = 1; step <= 3; ++step) optimizer.step(gradient_of(step), 1, 10);

  Parameters resumed = make_parameters();
  for (size_t p = 0; p < resumed.size(); ++p)
    resumed[p].second.detach().copy_(parameters[p].second.detach());
  Optimizer other(make_config(), resumed);
  std::vector<std::pair<std::string, at::Tensor>> state = optimizer.state();
  for (auto& [name, tensor] : state) tensor = tensor.clone();
  std::reverse(state.begin(), state.end());  // found by name
  other.load_state(state, 3);
  for (int64_t step = 4; step <= 6; ++step) {
    optimizer.step(gradient_of(step), 1, 10);
    other.step(gradient_of(step), 1, 10);
  }
  EXPECT_TRUE(flat_values(parameters).equal(flat_values(resumed)));
  EXPECT_EQ(other.num_steps(), 6);
}

Parameters in_bfloat16(const Parameters& parameters) {
  Parameters rounded;
  for (const auto& [name, parameter] : parameters)
    rounded.emplace_back(name, parameter.detach().to(at::kBFloat16));
  return rounded;
}

TEST(OptimizerTest, SixteenBitsFollowTheirMasterCopy) {
  Parameters narrow = in_bfloat16(make_parameters()), wide;
  for (const auto& [name, parameter] : narrow) wide.emplace_back(name, parameter.to(at::kFloat));
  Optimizer optimizer(make_config(), narrow), plain(make_config(), wide);
  for (int64_t step = 1; step <= 3; ++step) {
    optimizer.step(gradient_of(step), 1, 10);
    plain.step(gradient_of(step), 1, 10);
  }
  for (size_t p = 0; p < wide.size(); ++p)
    EXPECT_TRUE(narrow[p].second.equal(wide[p].second.to(at::kBFloat16)));

  Parameters resumed = narrow;
  for (auto& [name, parameter] : resumed) parameter = parameter.clone();
  Optimizer other(make_config(), resumed);
  std::vector<std::pair<std::string, at::Tensor>> state = optimizer.state();
  for (auto& [name, tensor] : state) tensor = tensor.clone();
  EXPECT_EQ(state[2].first, "master.layer.weight");
  other.load_state(state, 3);
  for (int64_t step = 4; step <= 6; ++step) {
    optimizer.step(gradient_of(step), 1, 10);
    other.step(gradient_of(step), 1, 10);
  }
  for (size_t p = 0; p < narrow.size(); ++p) EXPECT_TRUE(resumed[p].second.equal(narrow[p].second));
  EXPECT_EQ(other.num_steps(), 6);
}

TEST(OptimizerTest, RefusesAForeignState) {
  Optimizer optimizer(make_config(), make_parameters());
  std::vector<std::pair<std::string, at::Tensor>> state = optimizer.state();
  EXPECT_EQ(state[0].first, "exp_avg.layer.weight");
  EXPECT_EQ(state[0].second.sizes(), at::IntArrayRef({4, 3}));
  auto renamed = state;
  renamed[1].first = "exp_avg_sq.other";
  EXPECT_THROW(optimizer.load_state(renamed, 1), Error);
  auto misshapen = state;
  misshapen[0].second = at::zeros({3, 4});
  EXPECT_THROW(optimizer.load_state(misshapen, 1), Error);
  state.pop_back();
  EXPECT_THROW(optimizer.load_state(state, 1), Error);
  EXPECT_EQ(optimizer.num_steps(), 0);
}

TEST(ScheduleTest, WarmsUpThenFollowsItsShape) {
  OptimizerConfig config;
  config.lr = 2;
  config.lr_warmup_steps = 4;
  for (const char* schedule : {"constant", "linear", "cosine"}) {
    config.lr_schedule = schedule;
    for (int64_t step = 1; step <= 4; ++step)
      EXPECT_DOUBLE_EQ(scheduled_lr(config, step, 14), 0.5 * static_cast<double>(step));
    EXPECT_DOUBLE_EQ(scheduled_lr(config, 5, 14), 2) << schedule;
  }
  config.lr_schedule = "constant";
  EXPECT_DOUBLE_EQ(scheduled_lr(config, 14, 14), 2);
  config.lr_schedule = "linear";
  EXPECT_DOUBLE_EQ(scheduled_lr(config, 10, 14), 1);
  EXPECT_DOUBLE_EQ(scheduled_lr(config, 14, 14), 0.2);  // the last update still moves
  EXPECT_NEAR(scheduled_lr(config, 20, 14), 0, 1e-15);
  config.lr_schedule = "cosine";
  config.lr_min_ratio = 0.1;
  EXPECT_DOUBLE_EQ(scheduled_lr(config, 10, 14), 2 * 0.55);
  EXPECT_DOUBLE_EQ(scheduled_lr(config, 99, 14), 0.2);
}

TEST(ScheduleTest, RunShorterThanItsWarmUpIsDefined) {
  OptimizerConfig config;
  config.lr = 1;
  config.lr_warmup_steps = 10;
  config.lr_schedule = "linear";
  EXPECT_DOUBLE_EQ(scheduled_lr(config, 3, 3), 0.3);
  EXPECT_DOUBLE_EQ(scheduled_lr(config, 11, 3), 1);
}

TEST(OptimizerConfigTest, RefusesKnobsWithoutEffect) {
  const auto load = [](const std::vector<std::string>& overrides) {
    OptimizerConfig config;
    config::load({{}, overrides}, [&](config::Visitor& v) { config.describe(v); });
  };
  EXPECT_NO_THROW(load({"lr=0.1", "lr_schedule=cosine", "lr_min_ratio=0.1"}));
  EXPECT_THROW(load({"lr_min_ratio=0.1"}), Error);
  EXPECT_THROW(load({"weight_decay=0", "decay_1d_params=false"}), Error);
  EXPECT_THROW(load({"lr=0", "lr_warmup_steps=3"}), Error);
  EXPECT_THROW(load({"lr_schedule=cosin"}), Error);
}

}  // namespace
}  // namespace covrl
