// covrl: parses the subcommand and delegates. Exit status: 0 success, 2 usage or input error, 1
// failure at run time, 3 a run that an alarm ended (alarms.action).
#include <exception>
#include <iostream>
#include <string>
#include <vector>

#include "core/cli.h"
#include "core/comm.h"
#include "core/error.h"
#include "core/log.h"
#include "rl/commands/commands.h"

namespace {

// Messages about the command line begin with the command themselves.
void print_error(const std::string& message) {
  covrl::log::finish_progress();
  std::cerr << (message.starts_with("covrl ") ? "" : "covrl: ") << message << "\n";
}

int run(const std::vector<std::string>& words) {
  try {
    return covrl::run_command(words);
  } catch (const covrl::cli::HelpShown&) {
    return 0;
  } catch (const covrl::Error& error) {
    print_error(error.what());
    return error.exit_status();
  } catch (const std::exception& error) {
    print_error(error.what());
    return 1;
  }
}

}  // namespace

int main(int argc, char** argv) {
  const int status = run(std::vector<std::string>(argv + 1, argv + argc));
  // A rank that fails must not leave the others waiting in a collective.
  if (status != 0 && status != covrl::kEndedByAlarm) covrl::abort_world(status);
  return status;
}
