#include "verifiers/child_process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>

#include "core/error.h"

extern char** environ;

namespace covrl {
namespace {

constexpr size_t kLongestAnswer = 1 << 20;

std::string joined(const std::vector<std::string>& command) {
  std::string text;
  for (const std::string& word : command) text += (text.empty() ? "" : " ") + word;
  return text;
}

// Standard input and output of the child are `end`; it leads a process group, with default signals.
int spawn(const std::vector<std::string>& command, int end, pid_t& pid) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, end, STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, end, STDOUT_FILENO);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setflags(&attributes,
                           POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  sigset_t none, all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  std::vector<char*> words;
  for (const std::string& word : command) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  const int error = posix_spawnp(&pid, words[0], &actions, &attributes, words.data(), environ);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  return error;
}

}  // namespace

ChildProcess::Deadline ChildProcess::after(double seconds) {
  return std::chrono::steady_clock::now() +
         std::chrono::duration_cast<std::chrono::steady_clock::duration>(
             std::chrono::duration<double>(seconds));
}

ChildProcess::ChildProcess(const std::vector<std::string>& command) {
  COVRL_CHECK(!command.empty(), "no command");
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
    throw_runtime("verifier process '", joined(command), "': socketpair: ", std::strerror(errno));
  const int error = spawn(command, ends[1], pid_);
  ::close(ends[1]);
  socket_ = ends[0];
  if (error == 0) return;
  ::close(socket_);
  throw_usage("verifier process '", joined(command), "' cannot be started: ", std::strerror(error));
}

ChildProcess::~ChildProcess() {
  kill_and_wait();
  ::close(socket_);
}

bool ChildProcess::exchange(const std::string& line, Deadline deadline, std::string& answer) {
  const std::string sent = line + "\n";
  for (size_t done = 0; done < sent.size();) {
    const ssize_t count =
        ::send(socket_, sent.data() + done, sent.size() - done, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (count > 0) {
      done += static_cast<size_t>(count);
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      if (!wait_for(POLLOUT, deadline)) return give_up("did not read the request in time");
    } else if (errno != EINTR) {
      return report_end("ended before it read the request");
    }
  }
  return read_line(deadline, answer);
}

bool ChildProcess::read_line(Deadline deadline, std::string& answer) {
  char buffer[1 << 14];
  for (;;) {
    const size_t end = received_.find('\n');
    if (end != std::string::npos) {
      answer = received_.substr(0, end);
      received_.erase(0, end + 1);
      return true;
    }
    if (received_.size() > kLongestAnswer)
      return give_up("wrote more than 1 MiB without a line end");
    if (!wait_for(POLLIN, deadline)) return give_up("did not answer in time");
    const ssize_t count = ::recv(socket_, buffer, sizeof buffer, MSG_DONTWAIT);
    if (count > 0) {
      received_.append(buffer, static_cast<size_t>(count));
    } else if (count == 0 || (errno != EINTR && errno != EAGAIN && errno != EWOULDBLOCK)) {
      return report_end("ended before it answered");
    }
  }
}

bool ChildProcess::is_waiting() {
  pollfd watched{socket_, POLLIN, 0};
  if (pid_ <= 0 || !received_.empty()) return false;
  int ready;
  do ready = ::poll(&watched, 1, 0);
  while (ready < 0 && errno == EINTR);  // a signal says nothing about the process
  return ready == 0;
}

// False when the deadline passed first.
bool ChildProcess::wait_for(short events, Deadline deadline) {
  for (;;) {
    const std::chrono::duration<double, std::milli> left =
        deadline - std::chrono::steady_clock::now();
    if (left.count() <= 0) return false;
    constexpr double kLongestPoll = 1e6;  // fits in an int
    pollfd watched{socket_, events, 0};
    const int ready =
        ::poll(&watched, 1, static_cast<int>(std::ceil(std::min(left.count(), kLongestPoll))));
    if (ready > 0) return true;
    COVRL_CHECK(ready == 0 || errno == EINTR, "poll: ", std::strerror(errno));
  }
}

bool ChildProcess::report_end(const std::string& what) {
  ended_ = true;
  return give_up(what);
}

bool ChildProcess::give_up(const std::string& what) {
  const std::string how = kill_and_wait();
  fault_ = how.empty() ? what : concat(what, " (", how, ")");
  return false;
}

// How the process had ended by itself; empty when it was still running.
std::string ChildProcess::kill_and_wait() {
  if (pid_ <= 0) return "";
  ::kill(-pid_, SIGKILL);
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  pid_ = -1;
  if (WIFEXITED(status)) return concat("exit status ", WEXITSTATUS(status));
  if (WIFSIGNALED(status) && WTERMSIG(status) != SIGKILL)
    return concat("signal ", WTERMSIG(status));
  return "";
}

}  // namespace covrl
