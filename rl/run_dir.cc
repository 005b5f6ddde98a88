#include "rl/run_dir.h"

#include <unistd.h>

#include <cstring>
#include <ctime>
#include <filesystem>

#include "core/error.h"
#include "core/jsonl.h"

namespace covrl {
namespace fs = std::filesystem;

bool RunDir::holds_run() const {
  return fs::exists(file("metrics.jsonl")) || fs::exists(checkpoints());
}

RunDir open_run_dir(const std::string& path) {
  std::error_code error;
  fs::create_directories(path, error);
  if (error || !fs::is_directory(path))
    throw_usage("trainer.run_dir: cannot make the run folder '", path,
                "': ", error ? error.message() : "a file of that name is in the way",
                "; choose another run_dir or mend its permissions");
  std::string probe = path + "/.write_test_XXXXXX";
  const int fd = mkstemp(probe.data());
  if (fd < 0)
    throw_usage("trainer.run_dir: cannot write to the run folder '", path,
                "': ", std::strerror(errno), "; choose another run_dir or mend its permissions");
  close(fd);
  unlink(probe.c_str());
  return RunDir{path};
}

std::string move_aside(const std::string& path) {
  const RunDir dir{path};
  if (!dir.holds_run()) return "";
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
