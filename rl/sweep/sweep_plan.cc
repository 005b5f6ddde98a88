#include "rl/sweep/sweep_plan.h"

#include <filesystem>
#include <map>
#include <optional>

#include "core/error.h"
#include "core/jsonl.h"
#include "core/metrics.h"
#include "core/step_log.h"
#include "rl/checkpoint.h"
#include "rl/resume_diff.h"
#include "rl/run_config.h"
#include "rl/run_dir.h"

namespace covrl {
namespace fs = std::filesystem;

namespace {

enum class AlarmKeys { kCount, kDoNotCount };
AlarmKeys alarm_keys(bool an_alarm_can_end_it) {
  return an_alarm_can_end_it ? AlarmKeys::kCount : AlarmKeys::kDoNotCount;
}

// Lines "key: before -> after" of the keys that change what a finished run shows; "" for none.
std::string differences(const std::string& before, const std::string& after, AlarmKeys alarms) {
  std::string text;
  for (const ConfigChange& change : config_changes(before, after)) {
    const bool shows = !may_change_on_resume(change.key) || change.key.starts_with("eval.") ||
                       (change.key.starts_with("alarms.") && alarms == AlarmKeys::kCount) ||
                       change.key == "trainer.total_steps";
    if (shows) text += concat("\n  ", change.key, ": ", change.before, " -> ", change.after);
  }
  return text;
}

int64_t last_step(const std::string& metrics_file) {
  if (!fs::exists(metrics_file)) return 0;
  const auto metrics = read_metrics(metrics_file);
  return metrics.empty() ? 0 : metrics.back().first;
}

// The last step that was made of a run which an alarm ended; none while it can go on. The line that
// ended it is the last of alarms.jsonl (rl/alarms.h), and nothing is from a later step.
std::optional<int64_t> ended_by_alarm(const RunDir& dir, int64_t checkpoint_step,
                                      int64_t metrics_step) {
  const std::string path = dir.file("alarms.jsonl");
  if (!fs::exists(path) || metrics_step != checkpoint_step) return std::nullopt;
  std::optional<int64_t> end;
  read_log(path, [&](int64_t, const Json& row) {
    end.reset();
    if (row.at("step") != checkpoint_step) return;
    if (row.at("event") == "rollback") {
      end = row.at("given_up").at(1).get<int64_t>();
    } else if (row.at("action") != "warn") {
      end = checkpoint_step;
    }
  });
  return end;
}

void check_folder(const SweepRun& run, std::string& faults) {
  const std::string path = RunDir{run.dir}.file("config.resolved.yaml");
  if (!RunDir{run.dir}.holds_run() || !fs::exists(path)) return;
  const std::string different = differences(read_file(path), run.yaml, alarm_keys(run.alarm_ends));
  if (different.empty()) return;
  faults += concat(
      faults.empty() ? "" : "\n", run.dir, ": holds a run of another configuration:", different,
      "\nChoose another trainer.run_dir, rename the variant, or move that folder aside");
}

}  // namespace

RunProgress progress_of(const SweepRun& run) {
  const RunDir dir{run.dir};
  if (!dir.holds_run()) return {};
  const std::optional<std::string> checkpoint = latest_checkpoint(dir.checkpoints());
  if (!checkpoint) return {RunState::kStartsAnew, 0};
  const int64_t step = checkpoint_step(*checkpoint);
  const int64_t metrics_step = last_step(dir.file("metrics.jsonl"));
  if (step == run.total_steps && metrics_step == step) return {RunState::kComplete, step};
  if (const auto end = ended_by_alarm(dir, step, metrics_step); end && run.alarm_ends)
    return {RunState::kEndedByAlarm, *end};
  return {RunState::kResumes, step};
}

std::vector<PlannedRun> plan_runs(const std::vector<Sweep>& sweeps) {
  std::vector<PlannedRun> plan;
  std::map<std::string, SweepRun> run_of_dir;
  std::string faults;
  for (const Sweep& sweep : sweeps)
    for (const SweepRun& run : sweep.runs) {
      const auto [known, is_new] = run_of_dir.emplace(run.dir, run);
      if (is_new) {
        check_folder(run, faults);
        plan.push_back({run, progress_of(run)});
        continue;
      }
      const bool alarm_ends = run.alarm_ends || known->second.alarm_ends;
      const std::string different =
          differences(known->second.yaml, run.yaml, alarm_keys(alarm_ends));
      if (!different.empty())
        faults += concat(faults.empty() ? "" : "\n", run.dir, ": sweep '", sweep.section.name,
                         "' wants another configuration there than a sweep before it:", different,
                         "\nRename the variant in one of them");
    }
  if (!faults.empty()) throw Error(ErrorKind::kUsage, faults);
  return plan;
}

}  // namespace covrl
