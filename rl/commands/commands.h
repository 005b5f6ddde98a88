// The subcommands of covrl, one a file; `covrl COMMAND --help` tells the words of each. Each parses
// its own words, throws Error on a fault and returns the exit status.
#pragma once

#include <string>
#include <vector>

namespace covrl {

// Exit status of a training run that an alarm ended, on every rank and with everything written.
constexpr int kEndedByAlarm = 3;

int run_train(const std::vector<std::string>& args);
int run_sweep(const std::vector<std::string>& args);
int run_sft(const std::vector<std::string>& args);
int run_eval(const std::vector<std::string>& args);
int run_compare(const std::vector<std::string>& args);
int run_generate(const std::vector<std::string>& args);
int run_score(const std::vector<std::string>& args);
int run_probe(const std::vector<std::string>& args);
int run_tokenize(const std::vector<std::string>& args);
int run_verify(const std::vector<std::string>& args);
int run_select(const std::vector<std::string>& args);
int run_entropy(const std::vector<std::string>& args);
int run_report(const std::vector<std::string>& args);
int run_config(const std::vector<std::string>& args);

// The table (table.cc): the first word chooses the command.
int run_command(const std::vector<std::string>& words);

}  // namespace covrl
