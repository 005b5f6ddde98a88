#include "tests/support/run_program.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <iterator>
#include <stdexcept>

#include "tests/support/paths.h"

namespace covrl::testing {

namespace {

std::string slurp(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::string covrl_program() { return std::string(COVRL_BINARY_DIR) + "/bin/covrl"; }

// A child with its standard output and error in files.
pid_t start_program(const std::vector<std::string>& argv, const std::string& out,
                    const std::string& err) {
  const pid_t child = fork();
  if (child < 0) throw std::runtime_error("fork failed");
  if (child == 0) {
    const int in = open("/dev/null", O_RDONLY);
    const int to_out = open(out.c_str(), O_CREAT | O_WRONLY, 0600),
              to_err = open(err.c_str(), O_CREAT | O_WRONLY, 0600);
    dup2(in, 0), dup2(to_out, 1), dup2(to_err, 2);
    std::vector<char*> words;
    for (const std::string& word : argv) words.push_back(const_cast<char*>(word.c_str()));
    words.push_back(nullptr);
    execvp(words[0], words.data());
    _exit(127);
  }
  return child;
}

}  // namespace

ProgramResult run_program(const std::vector<std::string>& argv) {
  const std::string dir = temporary_dir("program");
  const std::string out = dir + "/out", err = dir + "/err";
  const pid_t child = start_program(argv, out, err);
  int status = 0;
  waitpid(child, &status, 0);
  ProgramResult result;
  result.status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  result.out = slurp(out);
  result.err = slurp(err);
  return result;
}

ProgramResult run_covrl(std::vector<std::string> args) {
  args.insert(args.begin(), covrl_program());
  return run_program(args);
}

bool kill_covrl_when(std::vector<std::string> args, const std::function<bool()>& reached) {
  args.insert(args.begin(), covrl_program());
  const std::string dir = temporary_dir("program");
  const pid_t child = start_program(args, dir + "/out", dir + "/err");
  int status = 0;
  while (!reached()) {
    if (waitpid(child, &status, WNOHANG) == child) return false;
    sched_yield();
  }
  kill(child, SIGKILL);
  waitpid(child, &status, 0);
  return WIFSIGNALED(status);
}

ProgramResult run_covrl_ranks(int num_ranks, std::vector<std::string> args) {
  std::vector<std::string> argv = {"mpirun", "--allow-run-as-root",     "--oversubscribe",
                                   "-n",     std::to_string(num_ranks), covrl_program()};
  argv.insert(argv.end(), args.begin(), args.end());
  return run_program(argv);
}

}  // namespace covrl::testing
