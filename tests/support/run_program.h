// Runs a program to its end and catches what it said.
#pragma once

#include <functional>
#include <string>
#include <vector>

namespace covrl::testing {

struct ProgramResult {
  int status = -1;       // exit status; 128 + signal when killed
  std::string out, err;  // standard output and error
};

ProgramResult run_program(const std::vector<std::string>& argv);
// The covrl program of this build.
ProgramResult run_covrl(std::vector<std::string> args);
// The same under mpirun -n num_ranks.
ProgramResult run_covrl_ranks(int num_ranks, std::vector<std::string> args);

// Starts the covrl program and kills it (SIGKILL) as soon as `reached` holds, which is asked over
// and over. Returns whether it was killed; false: it had ended before.
bool kill_covrl_when(std::vector<std::string> args, const std::function<bool()>& reached);

}  // namespace covrl::testing
