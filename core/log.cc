#include "core/log.h"

#include <unistd.h>

#include <cstdio>
#include <mutex>
#include <set>
#include <utility>

namespace covrl::log {
namespace {

struct State {
  std::mutex mutex;
  int rank = 0;
  bool quiet = false;
  bool line_open = false;  // an updating line is on the terminal
  std::set<std::string> warned;
};

State& state() {
  static State* instance = new State;  // never destroyed: destructors of other globals may log
  return *instance;
}

// One write for a whole line, so that lines of several processes do not interleave.
void print(const std::string& text) {
  std::fwrite(text.data(), 1, text.size(), stderr);
  std::fflush(stderr);
}

std::string closing_of_line(State& s) {
  return std::exchange(s.line_open, false) ? std::string("\r\033[K") : std::string();
}

}  // namespace

void set_rank(int rank) {
  const std::lock_guard lock(state().mutex);
  state().rank = rank;
}

void set_quiet(bool quiet) {
  const std::lock_guard lock(state().mutex);
  state().quiet = quiet;
}

void info(const std::string& message) {
  State& s = state();
  const std::lock_guard lock(s.mutex);
  if (s.quiet || s.rank != 0) return;
  print(closing_of_line(s) + message + "\n");
}

void warning(const std::string& message) {
  State& s = state();
  const std::lock_guard lock(s.mutex);
  if (!s.warned.insert(message).second) return;
  const std::string prefix = s.rank == 0 ? std::string() : concat("[rank ", s.rank, "] ");
  print(closing_of_line(s) + prefix + "warning: " + message + "\n");
}

bool stderr_is_terminal() {
  static const bool terminal = isatty(STDERR_FILENO) == 1;
  return terminal;
}

void progress(const std::string& line) {
  State& s = state();
  const std::lock_guard lock(s.mutex);
  if (s.quiet || s.rank != 0) return;
  if (!stderr_is_terminal()) return print(line + "\n");
  print("\r\033[K" + line);
  s.line_open = true;
}

void finish_progress() {
  State& s = state();
  const std::lock_guard lock(s.mutex);
  if (std::exchange(s.line_open, false)) print("\n");
}

}  // namespace covrl::log
