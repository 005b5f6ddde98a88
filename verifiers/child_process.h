// A child process that answers lines with lines. Every wait for it has a deadline; what does not
// answer in time is killed, together with all it started. Only the wait for a killed process to be
// gone has none: the kernel ends it at once, unless it hangs in a system call of its own.
//
// A run that is itself killed kills nobody: the process then reads the end of its standard input,
// and should end there. (A parent-death signal would come when the thread that started it ends.)
#pragma once

#include <sys/types.h>

#include <chrono>
#include <string>
#include <vector>

namespace covrl {

class ChildProcess {
 public:
  using Deadline = std::chrono::steady_clock::time_point;
  static Deadline after(double seconds);

  // Starts `command` (found in PATH) in a process group of its own; its standard input and output
  // are ours, its standard error stays that of the run. Error(kUsage) when it cannot be started.
  explicit ChildProcess(const std::vector<std::string>& command);
  ~ChildProcess();
  ChildProcess(const ChildProcess&) = delete;

  // Sends the line and waits for the next; read_line() waits only. False: no answer, the process is
  // gone, and fault() says why. Throws only
  // where poll() itself fails (COVRL_CHECK).
  bool exchange(const std::string& line, Deadline deadline, std::string& answer);
  bool read_line(Deadline deadline, std::string& answer);
  const std::string& fault() const { return fault_; }
  bool ended() const { return ended_; }  // by itself, not because it was late

  // False where the process has ended, or spoke without having been asked.
  bool is_waiting();

 private:
  bool wait_for(short events, Deadline deadline);
  bool report_end(const std::string& what);
  bool give_up(const std::string& what);
  std::string kill_and_wait();

  pid_t pid_ = -1;  // -1: gone
  int socket_ = -1;
  std::string received_;
  std::string fault_;
  bool ended_ = false;
};

}  // namespace covrl
