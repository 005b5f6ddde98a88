// A training run. trainer.cc reads top to bottom as the verbs of docs/tour.md: sample, verify,
// estimate, pack, score, learn, publish, report; trainer_checkpoints.cc is how it goes on,
// trainer_alarms.cc how an alarm ends it.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/metrics.h"
#include "core/step_log.h"
#include "policy/pretrained.h"
#include "rl/advantage/advantage.h"
#include "rl/alarms.h"
#include "rl/checkpoint.h"
#include "rl/cluster.h"
#include "rl/critic.h"
#include "rl/entropy_watch.h"
#include "rl/evaluation/eval_summary.h"
#include "rl/evaluation/evaluate.h"
#include "rl/example_history.h"
#include "rl/learner.h"
#include "rl/progress.h"
#include "rl/prompt_stream.h"
#include "rl/reward_kl.h"
#include "rl/run_config.h"
#include "rl/run_dir.h"
#include "rl/sampler.h"
#include "rl/saturation.h"
#include "rl/selection_log.h"
#include "rl/weight_sync.h"
#include "rollout/audit_log.h"
#include "rollout/recorder.h"

namespace covrl {

// What a run reads before it starts; made on every rank.
struct RunInputs {
  Pretrained pretrained;
  PromptSet train;
  std::vector<std::string> data_notes;  // what was chosen and changed in the training rows
  std::vector<EvalSet> eval_sets;
};
enum class Weights { kLoad, kSkip };  // kSkip: config, tokenizer and data only, for --dry-run
RunInputs load_run_inputs(const RunConfig& config, Weights weights);

enum class RunEnd {
  kComplete,
  kInterrupted,  // a checkpoint was written; the same command goes on
  kAlarm,        // stopped or rolled back (alarms.action)
};

class Trainer {
 public:
  // Collective. Opens the run folder, resumes when there is something to resume from. Throws Error
  // before anything is written when config, data or folder do not allow the run.
  Trainer(RunConfig config, RunInputs inputs, Cluster& cluster,
          const std::vector<std::string>& argv);

  // All remaining steps, then the last evaluation, checkpoint and report.
  RunEnd run();

 private:
  // trainer_checkpoints.cc, with what saves below.
  void resume(const std::vector<std::string>& argv);
  void load(const std::string& checkpoint);
  void open_logs(int64_t resume_step);
  void step(int64_t step);
  RolloutPlan rollout_plan(int64_t step) const;
  std::vector<Group> sample(int64_t step, Metrics& metrics);
  std::vector<Group> sample_greedily(int64_t step, const std::vector<Group>& groups);
  std::map<std::string, double> controllers() const;
  // The learner's log-probs of the batch, values and updates of the critic, where there is one; the
  // seconds they took.
  double score(Batch& batch, Metrics& metrics);
  double fill_values(Batch& batch, Metrics& metrics);
  struct LearningSeconds {
    double actor = 0, critic = 0;
  };
  // Advantages and all updates of the step, where this rank learns.
  LearningSeconds learn(int64_t step, Batch& batch, Metrics& metrics);
  double update_critic(const Batch& batch, Metrics& metrics);
  // Collective. `batches_before`: prompt batches taken before the step.
  void check_gap(int64_t step, int64_t batches_before, const Metrics& metrics);
  void evaluate(int64_t step, Metrics& metrics);
  // On the root: what the rows of metrics say so far goes into the latest one, and into the log.
  void observe(int64_t step, Metrics& metrics);
  // trainer_alarms.cc, collective: whether an alarm rings that ends the run; how it does; the step
  // gone back to, none without a checkpoint from before the alarm.
  bool alarm_ends_run();
  RunEnd end_by_alarm(int64_t step);
  std::optional<int64_t> roll_back(int64_t step);
  void save(int64_t step);
  // Where the step after it cannot be learned from, on all ranks alike; nothing if it is saved.
  void save_last_learned(int64_t step);
  void finish(int64_t step);
  bool is_due(int64_t step, int64_t every) const { return every > 0 && step % every == 0; }
  bool is_root() const { return cluster_.world().is_root(); }

  RunConfig config_;
  std::string config_yaml_;
  Cluster& cluster_;
  Pretrained pretrained_;
  std::optional<Model> reference_;
  std::unique_ptr<Verifier> verifier_, audit_verifier_;  // the second: null without audit
  std::unique_ptr<AdvantageEstimator> advantage_;
  RewardKl reward_kl_;
  PromptStream prompts_;
  Sampler sampler_;
  std::unique_ptr<Learner> learner_;  // on learner ranks
  std::unique_ptr<Critic> critic_;    // on learner ranks, with adv_estimator gae
  EntropyWatch entropy_watch_;        // on the root, like the two that follow
  SaturationWatch saturation_;
  Alarms alarms_;
  Evaluator evaluator_;
  RunDir dir_;
  CheckpointState state_;
  std::unique_ptr<WeightSync> sync_;
  std::unique_ptr<MetricsSink> sink_;  // on the root
  std::unique_ptr<Recorder> recorder_;
  std::unique_ptr<StepLog> eval_log_;
  std::unique_ptr<ExampleLog> example_log_;
  std::unique_ptr<SelectionLog> selection_log_;
  std::unique_ptr<AuditLog> audit_log_;
  std::unique_ptr<StepLog> alarm_log_;
  std::vector<EvalResult> first_eval_, last_eval_;
  Progress progress_;
};

}  // namespace covrl
