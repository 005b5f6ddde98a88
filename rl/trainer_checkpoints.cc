// How a run goes on: the checkpoint it begins with, and those it writes.
#include <filesystem>

#include "core/jsonl.h"
#include "core/log.h"
#include "rl/resume_diff.h"
#include "rl/trainer.h"

namespace covrl {
namespace {

DType export_dtype(const TrainerSection& trainer, const Pretrained& pretrained) {
  if (trainer.save_dtype == "checkpoint") return pretrained.config.dtype;
  return parse_dtype(trainer.save_dtype, "trainer.save_dtype");
}

// The folder to resume from; none: from the start.
std::optional<std::string> chosen_checkpoint(const std::string& wanted, const RunDir& dir) {
  if (wanted == "never") return std::nullopt;
  if (wanted != "auto") return wanted;
  const std::optional<std::string> latest = latest_checkpoint(dir.checkpoints());
  if (!latest && std::filesystem::exists(dir.file("metrics.jsonl")))
    throw_usage("trainer.run_dir: ", dir.path,
                " holds a run that has no complete checkpoint to resume from; set "
                "trainer.resume=never to move it aside and start anew, or choose another run_dir");
  return latest;
}

}  // namespace

void Trainer::resume(const std::vector<std::string>& argv) {
  const std::optional<std::string> checkpoint = chosen_checkpoint(config_.trainer.resume, dir_);
  if (checkpoint) load(*checkpoint);
  sync_ = std::make_unique<WeightSync>(cluster_, *pretrained_.model, state_.weight_version);
  progress_ = Progress(state_.step + 1, config_.trainer.total_steps);
  cluster_.world().barrier();  // every rank has looked at the folder before the root writes to it
  if (!is_root()) return;
  if (checkpoint) log::info(concat("Resumed from ", *checkpoint, " at step ", state_.step));
  // Those of another way on, or damaged: the next to resume is not to take them for this one's.
  for (const std::string& aside : set_aside_checkpoints_after(dir_.checkpoints(), state_.step))
    log::info(concat("A checkpoint of a later step is set aside as ", aside));
  write_file_atomically(
      dir_.file("config.resolved.yaml"),
      config::dump([&](config::Visitor& v) { config_.describe(v); }, config::Comments::kHelp));
  write_launch_record(dir_, argv, cluster_.world().size(), state_.step + 1);
  open_logs(state_.step);
  const MetricRows rows = read_metrics(dir_.file("metrics.jsonl"));
  entropy_watch_.replay(rows);
  saturation_.replay(rows);
  alarms_.replay(rows);
}

void Trainer::load(const std::string& checkpoint) {
  check_resume_config(checkpoint_config(checkpoint), config_yaml_, checkpoint,
                      config_.trainer.allow_changed_config);
  state_ =
      load_checkpoint(checkpoint, *pretrained_.model, learner_ ? &learner_->optimizer() : nullptr);
  if (learner_) learner_->load_controllers(state_.controllers);
  if (critic_) load_critic(checkpoint, critic_->model(), critic_->optimizer());
  reward_kl_.load_state(state_.controllers);
  if (state_.step >= config_.trainer.total_steps)
    throw_usage("trainer.total_steps: the run in ", dir_.path, " is complete (step ", state_.step,
                " of ", config_.trainer.total_steps,
                "); raise trainer.total_steps to go on, or set trainer.resume=never to "
                "start anew");
}

void Trainer::open_logs(int64_t resume_step) {
  sink_ = make_jsonl_sink(dir_.file("metrics.jsonl"), resume_step);
  recorder_ = std::make_unique<Recorder>(dir_.file("samples.jsonl"), resume_step);
  eval_log_ = std::make_unique<StepLog>(dir_.file("eval_samples.jsonl"), resume_step);
  example_log_ = std::make_unique<ExampleLog>(dir_.file("example_accuracy.jsonl"), resume_step);
  if (!config_.actor.entropy_control.has("none"))
    selection_log_ =
        std::make_unique<SelectionLog>(dir_.file("selected_tokens.jsonl"), resume_step);
  // What an interrupted attempt wrote past the checkpoint goes, whether audit and alarms are still
  // on or not.
  if (audit_verifier_ || std::filesystem::exists(dir_.file("audit.jsonl")))
    audit_log_ = std::make_unique<AuditLog>(dir_.file("audit.jsonl"), resume_step);
  if (config_.alarms.any() || std::filesystem::exists(dir_.file("alarms.jsonl")))
    alarm_log_ = std::make_unique<StepLog>(dir_.file("alarms.jsonl"), resume_step);
}

std::map<std::string, double> Trainer::controllers() const {
  if (!learner_) return state_.controllers;
  std::map<std::string, double> all = learner_->controllers();
  all.merge(reward_kl_.state());
  return all;
}

void Trainer::save(int64_t step) {
  state_ = {step, sync_->version(), controllers(), state_.prompt_batches};
  if (is_root()) {
    CheckpointContent content;
    content.state = state_;
    content.config_yaml = config_yaml_;
    content.source = &pretrained_;
    content.model = pretrained_.model.get();
    content.optimizer = &learner_->optimizer();
    if (critic_) content.critic = {&critic_->model(), &critic_->optimizer()};
    content.export_dtype = export_dtype(config_.trainer, pretrained_);
    save_checkpoint(dir_.checkpoints(), content, config_.trainer.keep_checkpoints);
  }
  cluster_.world().barrier();
}

void Trainer::save_last_learned(int64_t step) {
  if (step <= state_.step) return;
  save(step);
  if (!is_root()) return;
  log::finish_progress();
  log::info(concat("What was learned up to step ", step,
                   " is saved: the same command goes on from "
                   "there."));
}

}  // namespace covrl
