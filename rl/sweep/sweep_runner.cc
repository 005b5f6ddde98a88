#include "rl/sweep/sweep_runner.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstring>
#include <deque>
#include <filesystem>
#include <map>

#include "core/error.h"
#include "core/jsonl.h"
#include "core/log.h"
#include "rl/progress.h"

namespace covrl {
namespace fs = std::filesystem;

namespace {

constexpr int kNumLastLines = 5;

sigset_t waited_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGCHLD, SIGINT, SIGTERM}) sigaddset(&set, signal);
  return set;
}

// While it lives, the signals are waited for instead of acting.
class BlockedSignals {
 public:
  BlockedSignals() : set_(waited_signals()) { sigprocmask(SIG_BLOCK, &set_, &before_); }
  ~BlockedSignals() { sigprocmask(SIG_SETMASK, &before_, nullptr); }
  BlockedSignals(const BlockedSignals&) = delete;

  int wait() const {
    int signal = 0;
    while (sigwait(&set_, &signal) != 0) {
    }
    return signal;
  }
  const sigset_t& before() const { return before_; }

 private:
  sigset_t set_, before_ = {};
};

std::vector<std::string> command_of(const PlannedRun& planned, const SweepLaunch& launch) {
  std::vector<std::string> words = launch.prefix;
  for (const std::string& word : {fs::read_symlink("/proc/self/exe").string(), std::string("train"),
                                  std::string("--config"), planned.run.dir + ".yaml"})
    words.push_back(word);
  if (planned.progress.state == RunState::kStartsAnew) words.push_back("trainer.resume=never");
  return words;
}

// In the child: never returns.
[[noreturn]] void become(const std::vector<char*>& words, int log, pid_t parent,
                         const sigset_t& signals) {
  setpgid(0, 0);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(127);  // it died before the line above
  dup2(open("/dev/null", O_RDONLY), STDIN_FILENO);
  dup2(log, STDOUT_FILENO);
  dup2(log, STDERR_FILENO);
  sigprocmask(SIG_SETMASK, &signals, nullptr);
  execvp(words[0], words.data());
  dprintf(STDERR_FILENO, "cannot start %s: %s\n", words[0], std::strerror(errno));
  _exit(127);
}

pid_t start(const PlannedRun& planned, const SweepLaunch& launch, const sigset_t& signals) {
  fs::create_directories(fs::path(planned.run.dir).parent_path());
  write_file_atomically(planned.run.dir + ".yaml", planned.run.yaml);
  const std::string path = planned.run.dir + ".log";
  const int log = open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  if (log < 0) throw_runtime(path, ": cannot be written: ", std::strerror(errno));
  std::vector<std::string> command = command_of(planned, launch);
  std::vector<char*> words;
  for (std::string& word : command) words.push_back(word.data());
  words.push_back(nullptr);
  const pid_t parent = getpid(), child = fork();
  if (child == 0) become(words, log, parent, signals);
  close(log);
  if (child < 0) throw_runtime("cannot start ", command.front(), ": ", std::strerror(errno));
  return child;
}

std::string last_lines(const std::string& path) {
  if (!fs::exists(path)) return "";
  std::string text = read_file(path);
  while (!text.empty() && text.back() == '\n') text.pop_back();
  size_t begin = text.size();
  for (int line = 0; line < kNumLastLines && begin != std::string::npos && begin > 0; ++line)
    begin = text.rfind('\n', begin - 1);
  return begin == std::string::npos || begin == 0 ? text : text.substr(begin + 1);
}

std::string how_it_ended(int status) {
  if (WIFSIGNALED(status)) return concat("killed by signal ", WTERMSIG(status));
  if (WEXITSTATUS(status) != 0) return concat("exit status ", WEXITSTATUS(status));
  return "ended before its last step";
}

std::string end_text(const RunProgress& progress) {
  if (progress.state == RunState::kComplete) return "done in";
  if (progress.state == RunState::kEndedByAlarm)
    return concat("ended by an alarm at step ", progress.step, " after");
  return "FAILED after";
}

class Runner {
 public:
  Runner(const std::vector<PlannedRun>& plan, const SweepLaunch& launch) : launch_(launch) {
    for (const PlannedRun& planned : plan)
      if (!planned.progress.is_over()) waiting_.push_back(planned);
    num_runs_ = waiting_.size();
  }

  SweepOutcome run() {
    start_some();
    while (!running_.empty()) {
      if (signals_.wait() == SIGCHLD)
        reap();
      else
        interrupt();
      start_some();
    }
    return outcome_;
  }

 private:
  struct Running {
    PlannedRun planned;
    Stopwatch since_start;
  };

  void start_some() {
    while (!outcome_.interrupted && !waiting_.empty() &&
           running_.size() < static_cast<size_t>(launch_.jobs)) {
      const PlannedRun planned = waiting_.front();
      waiting_.pop_front();
      running_.emplace(start(planned, launch_, signals_.before()), Running{planned, {}});
    }
  }

  void interrupt() {
    const bool again = outcome_.interrupted;
    outcome_.interrupted = true;
    if (!again && launch_.prefix.empty())
      log::info("Interrupted: the runs end at their next step. Again: at once.");
    else if (!again)
      log::info(concat("Interrupted: ", launch_.prefix.front(),
                       " is asked to end (SIGTERM), and may end its run in the middle of a step; "
                       "runs go on from their last checkpoint. Again: at once."));
    for (const auto& [pid, running] : running_) kill(again ? -pid : pid, again ? SIGKILL : SIGTERM);
  }

  void reap() {
    int status = 0;
    for (pid_t pid = 0; (pid = waitpid(-1, &status, WNOHANG)) > 0;)
      if (const auto ended = running_.find(pid); ended != running_.end()) {
        finish(ended->second, status);
        running_.erase(ended);
      }
  }

  void finish(const Running& ended, int status) {
    const SweepRun& run = ended.planned.run;
    const RunProgress progress = progress_of(run);
    if (!progress.is_over() && outcome_.interrupted) return;
    ++num_ended_;
    const double left = since_start_.seconds() / static_cast<double>(num_ended_) *
                        static_cast<double>(num_runs_ - num_ended_);
    log::info(concat("[", num_ended_, "/", num_runs_, "] ", run.dir, "  ", end_text(progress), " ",
                     format_duration(ended.since_start.seconds()), ", about ",
                     format_duration(left), " left"));
    if (progress.is_over()) return;
    outcome_.failed.push_back({run.dir, how_it_ended(status), last_lines(run.dir + ".log")});
    const FailedRun& failed = outcome_.failed.back();
    log::info(concat(failed.reason, ", ", run.dir, ".log ends:\n", failed.last_lines));
  }

  const BlockedSignals signals_;
  const SweepLaunch& launch_;
  std::deque<PlannedRun> waiting_;
  std::map<pid_t, Running> running_;
  SweepOutcome outcome_;
  size_t num_runs_ = 0, num_ended_ = 0;
  const Stopwatch since_start_;
};

}  // namespace

SweepOutcome run_all(const std::vector<PlannedRun>& plan, const SweepLaunch& launch) {
  return Runner(plan, launch).run();
}

}  // namespace covrl
