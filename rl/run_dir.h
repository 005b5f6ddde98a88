// The folder of a run: what is in it, and who may write to it.
//
//   config.resolved.yaml  every key with its value     metrics.jsonl   one line a step
//   launch.json           argv, version, time, ranks   samples.jsonl   completions with verdicts
//   checkpoints/          global_step_N/               report.html     the page made at the end
//   example_accuracy.jsonl  how often each training example was solved, a line a step and example
//   selected_tokens.jsonl  tokens that entropy control selected
//   audit.jsonl           verdicts that a second verifier disagrees with (reward.audit)
//   alarms.jsonl          alarms that began to ring, and what came of them (rl/alarms.h)
//   metrics.before_rollback.jsonl  metrics.jsonl as it was before the last rollback
//   .lock                 held while a process writes to the folder
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace covrl {

struct RunDir {
  std::string path;
  std::shared_ptr<const void> lock = {};  // of the process that writes; released with the last copy
  std::string file(const std::string& name) const { return path + "/" + name; }
  std::string checkpoints() const { return path + "/checkpoints"; }
  bool holds_run() const;  // has metrics or checkpoints
};

// What a run reads is nothing that it writes, moves aside or removes: Error(kUsage) when `path`,
// the value of `key`, lies in the folder's checkpoints or is one of the files above. An empty path
// is none.
void check_is_input(const RunDir& dir, const std::string& key, const std::string& path);

// Makes the folder (parents too), proves that it can be written and takes its lock. Error(kUsage)
// naming the path and the reason, also when another process holds the lock.
RunDir open_run_dir(const std::string& path);

// Renames an earlier run to PATH.1, PATH.2, ... (the first free), so that nothing is lost. Returns
// the new name, "" if none. Error(kUsage) when a process is writing to it.
std::string move_aside(const std::string& path);
void start_anew(const std::string& path);  // the same, and says so

// What is said of a run that Ctrl-C ended; `resume` is its trainer.resume.
std::string interrupted_text(int64_t step, const std::string& resume);

// launch.json: how this process was started. Appended to on each resume.
void write_launch_record(const RunDir& dir, const std::vector<std::string>& argv, int num_ranks,
                         int64_t first_step);

}  // namespace covrl
