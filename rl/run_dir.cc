#include "rl/run_dir.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <string_view>

#include "core/error.h"
#include "core/jsonl.h"
#include "core/log.h"

namespace covrl {
namespace fs = std::filesystem;

namespace {

constexpr std::array<std::string_view, 11> kWrittenFiles = {"config.resolved.yaml",
                                                            "launch.json",
                                                            "metrics.jsonl",
                                                            "samples.jsonl",
                                                            "eval_samples.jsonl",
                                                            "example_accuracy.jsonl",
                                                            "selected_tokens.jsonl",
                                                            "audit.jsonl",
                                                            "alarms.jsonl",
                                                            "metrics.before_rollback.jsonl",
                                                            "report.html"};

// The lock dies with the process, however that ends.
std::shared_ptr<const void> take_lock(const std::string& path) {
  const int fd = open((path + "/.lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (fd < 0)
    throw_usage("trainer.run_dir: cannot write to the run folder '", path,
                "': ", std::strerror(errno), "; choose another run_dir or mend its permissions");
  std::shared_ptr<const void> lock(nullptr, [fd](const void*) { close(fd); });
  if (flock(fd, LOCK_EX | LOCK_NB) != 0)
    throw_usage("trainer.run_dir: another process is writing to the run folder '", path,
                "'; wait for it to end, or choose another run_dir");
  return lock;
}

}  // namespace

bool RunDir::holds_run() const {
  return fs::exists(file("metrics.jsonl")) || fs::exists(checkpoints());
}

void check_is_input(const RunDir& dir, const std::string& key, const std::string& path) {
  if (path.empty()) return;
  const std::string place =
      fs::weakly_canonical(path).lexically_relative(fs::weakly_canonical(dir.path)).string();
  const bool is_written = std::ranges::find(kWrittenFiles, place) != kWrittenFiles.end();
  if (is_written || place.starts_with("checkpoints/"))
    throw_usage(key, ": ", path, " is ", is_written ? "a file" : "among the checkpoints", " of ",
                dir.path, " (trainer.run_dir), which the run would ",
                is_written ? "replace" : "remove or move aside",
                "; choose another trainer.run_dir, or read a copy");
}

RunDir open_run_dir(const std::string& path) {
  std::error_code error;
  fs::create_directories(path, error);
  if (error || !fs::is_directory(path))
    throw_usage("trainer.run_dir: cannot make the run folder '", path,
                "': ", error ? error.message() : "a file of that name is in the way",
                "; choose another run_dir or mend its permissions");
  return RunDir{path, take_lock(path)};
}

std::string move_aside(const std::string& path) {
  const RunDir dir{path};
  if (!dir.holds_run()) return "";
  const std::shared_ptr<const void> lock = take_lock(path);
  for (int number = 1;; ++number) {
    const std::string target = concat(path, ".", number);
    if (fs::exists(target)) continue;
    std::error_code error;
    fs::rename(path, target, error);
    if (error)
      throw_usage("trainer.run_dir: cannot move the earlier run '", path, "' aside to '", target,
                  "': ", error.message());
    return target;
  }
}

void start_anew(const std::string& path) {
  const std::string moved = move_aside(path);
  if (!moved.empty()) log::info(concat("The earlier run in ", path, " is now ", moved));
}

std::string interrupted_text(int64_t step, const std::string& resume) {
  return concat("Interrupted after step ", step, "; the same command",
                resume == "auto" ? "" : " with trainer.resume=auto", " goes on from there.");
}

void write_launch_record(const RunDir& dir, const std::vector<std::string>& argv, int num_ranks,
                         int64_t first_step) {
  const std::string path = dir.file("launch.json");
  Json launches = Json::array();
  if (fs::exists(path)) launches = read_json(path);
  char time[32];
  const std::time_t now = std::time(nullptr);
  std::strftime(time, sizeof time, "%Y-%m-%dT%H:%M:%SZ", std::gmtime(&now));
  launches.push_back({{"time", time},
                      {"version", COVRL_VERSION},
                      {"argv", argv},
                      {"num_ranks", num_ranks},
                      {"first_step", first_step}});
  write_file_atomically(path, launches.dump(1) + "\n");
}

}  // namespace covrl
