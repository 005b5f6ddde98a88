// What a run sees of itself in its metrics, and how an alarm ends it (alarms.action stop and
// rollback).
#include <filesystem>

#include "core/log.h"
#include "rl/trainer.h"

namespace covrl {

void Trainer::observe(int64_t step, Metrics& metrics) {
  entropy_watch_.add(step, metrics);
  saturation_.add(step, metrics);
  for (const Alarm& alarm : alarms_.add(step, metrics)) {
    log::warning("alarm: " + alarm_text(alarm, config_.alarms.window));
    alarm_log_->add(alarm_row(alarm, config_.alarms.action));
    alarm_log_->flush();
  }
}

bool Trainer::alarm_ends_run() {
  if (!config_.alarms.ends_run()) return false;
  double ends = is_root() && alarms_.ringing() ? 1 : 0;
  cluster_.world().all_reduce_max(std::span(&ends, 1));
  return ends > 0;
}

RunEnd Trainer::end_by_alarm(int64_t step) {
  std::optional<int64_t> kept;
  if (config_.alarms.action == "rollback") kept = roll_back(step);
  if (!kept && state_.step != step) save(step);
  finish(kept.value_or(step));
  if (!is_root()) return RunEnd::kAlarm;
  const std::string reason = alarm_text(*alarms_.ringing(), config_.alarms.window);
  if (kept)
    log::info(concat("Rolled back by an alarm to step ", *kept, ": ", reason, ". Steps ", *kept + 1,
                     " to ", step,
                     " are given up. The same command would make them again: change what led there "
                     "(trainer.allow_changed_config=true), or the alarm."));
  else
    log::info(concat("Stopped by an alarm after step ", step, ": ", reason,
                     config_.alarms.action == "rollback"
                         ? "; no checkpoint is from before it, so that nothing was rolled back"
                         : "",
                     ". To go on, change the alarm (alarms.action=warn, for one)."));
  return RunEnd::kAlarm;
}

std::optional<int64_t> Trainer::roll_back(int64_t step) {
  double kept = -1;
  if (is_root()) {
    // A row's entropy and responses are those of the weights of the step before: the checkpoint
    // whose weights made the last row before the window, or an earlier one.
    const Alarm alarm = *alarms_.ringing();
    const std::optional<std::string> checkpoint =
        latest_checkpoint(dir_.checkpoints(), alarm.step - config_.alarms.window - 1);
    if (checkpoint) {
      const int64_t good = checkpoint_step(*checkpoint);
      std::filesystem::copy_file(dir_.file("metrics.jsonl"),
                                 dir_.file("metrics.before_rollback.jsonl"),
                                 std::filesystem::copy_options::overwrite_existing);
      remove_checkpoints_after(dir_.checkpoints(), good);
      open_logs(good);
      alarm_log_->add(rollback_row(alarm, good, step));
      alarm_log_->flush();
      last_eval_.clear();
      kept = static_cast<double>(good);
    }
  }
  cluster_.world().all_reduce_max(std::span(&kept, 1));
  if (kept < 0) return std::nullopt;
  return static_cast<int64_t>(kept);
}

}  // namespace covrl
