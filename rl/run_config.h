// The configuration of `covrl train`, declared once (core/config.h). Names follow verl where the
// meaning is the same.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/config.h"
#include "rl/advantage/advantage.h"
#include "rl/alarms.h"
#include "rl/critic.h"
#include "rl/dynamic_sampling.h"
#include "rl/evaluation/eval_rules.h"
#include "rl/learner.h"
#include "rl/overlong.h"
#include "rl/reward_config.h"
#include "rl/reward_kl.h"
#include "rl/rollout_correction.h"
#include "rl/saturation.h"
#include "rollout/prompt_source.h"

namespace covrl {

struct ModelSection {
  std::string path;                 // checkpoint folder in Hugging Face layout
  std::string init = "checkpoint";  // "checkpoint", or "random": config and tokenizer are read
  std::string chat_template;        // empty: the checkpoint's own
  std::string kernels = "fast";     // "fast", "reference"
  std::string device = "auto";      // "auto", "cpu", "cuda"
  void describe(config::Visitor& v);
};

struct RolloutSection {
  int64_t n = 8;  // samples per prompt: the group
  double temperature = 1.0;
  int64_t top_k = 0;
  double top_p = 1.0;
  int64_t max_new_tokens = 1024;
  int64_t max_batch = 128;       // sequences decoded together: speed and memory only
  double max_logprob_gap = 0.1;  // mean |sampler - learner| log-prob above which a run stops
  void describe(config::Visitor& v);
};

struct AlgorithmSection {
  AdvantageConfig advantage;
  RewardKlConfig reward_kl;
  FilterGroupsConfig filter_groups;
  OverlongBufferConfig overlong_buffer;
  bool overlong_filter = false;  // completions cut off at the length limit are out of the loss
  RolloutCorrectionConfig rollout_correction;
  void describe(config::Visitor& v);
};

struct EvalSection : EvalRules {
  std::vector<std::string>
      files;           // each a set, with rules of its own behind it (rl/evaluation/eval_rules.h)
  int64_t every = 10;  // steps; 0: never
  bool before_train = true;
  int64_t train_problems = 8;  // first distinct training problems, as the set "train"; 0: none
  std::vector<std::string> reflection_words = {"rethink", "recheck", "recalculate"};
  void describe(config::Visitor& v);
};

struct TrainerSection {
  int64_t total_steps = 100;       // rollout steps
  int64_t train_batch_size = 128;  // prompts per step
  int64_t seed = 1;
  std::string run_dir = "runs/train";
  std::string resume = "auto";        // "auto", "never", or a checkpoint folder
  bool allow_changed_config = false;  // resume although keys that alter the maths have changed
  int64_t save_every = 0;             // steps; 0: at the end only
  int64_t keep_checkpoints = 2;       // older ones are removed; 0: keep all
  std::string save_dtype =
      "checkpoint";  // of the exported weights: "checkpoint" (as loaded), "float32", "bfloat16"
  int64_t critic_warmup = 0;  // first steps, in which only the critic learns
  int64_t num_threads = 0;    // per process; 0: the machine's cores divided among its processes
  int64_t log_samples = 4;    // trajectories per step written to samples.jsonl
  double saturation_accuracy = kSaturationAccuracy;  // rl/saturation.h
  void describe(config::Visitor& v);
};

struct ClusterSection {
  int64_t learners =
      0;  // 0: every rank samples and learns; L: ranks 0..L-1 learn, the others sample
  void describe(config::Visitor& v);
};

struct RunConfig {
  ModelSection model;
  DataConfig data;
  RolloutSection rollout;
  AlgorithmSection algorithm;
  LearnerConfig actor;
  CriticConfig critic;
  VerifierSection verifier;
  RewardSection reward;
  EvalSection eval;
  AlarmsConfig alarms;
  TrainerSection trainer;
  ClusterSection cluster;
  void describe(config::Visitor& v);
};

// Whether the run has a critic: with adv_estimator gae.
bool has_critic(const RunConfig& config);

// Optimizer updates that a rollout step makes: ceil(prompts or responses / mini-batch) * epochs.
int64_t updates_per_step(const RunConfig& config);
int64_t critic_updates_per_step(const RunConfig& config);

// Derived sizes in words, printed at start and by --dry-run: prompts, rollouts, updates per step,
// ranks and roles.
std::string batch_table(const RunConfig& config, int num_ranks);

// Keys that do not alter the maths and may change on resume, as dotted prefixes
// ("trainer.total_steps", "eval.", ...).
bool may_change_on_resume(const std::string& key);

}  // namespace covrl
