#include <iostream>

#include "core/cli.h"
#include "core/error.h"
#include "rl/commands/commands.h"

namespace covrl {

namespace {

struct Command {
  const char* name;
  int (*run)(const std::vector<std::string>& args);
  const char* summary;
};

constexpr Command kCommands[] = {
    {"train", run_train, "reinforcement learning with verifiable rewards"},
    {"sweep", run_sweep, "variants of a training run over seeds: one table, one page"},
    {"sft", run_sft, "supervised fine-tuning"},
    {"eval", run_eval, "accuracy of a checkpoint on problem sets"},
    {"compare", run_compare, "two evaluations, problem by problem"},
    {"generate", run_generate, "sample completions"},
    {"score", run_score, "log-probs and entropy of given tokens"},
    {"probe", run_probe, "answer mixed requests, to compare implementations"},
    {"tokenize", run_tokenize, "text to ids and back"},
    {"verify", run_verify, "judge completions against gold answers"},
    {"select", run_select, "rank training examples by their history, write a training set"},
    {"entropy", run_entropy, "the entropy law, its ceiling and entropy change of a run"},
    {"report", run_report, "one offline page about runs"},
    {"config", run_config, "annotated defaults and generated documentation"},
};

std::string usage() {
  std::string text = "covrl " COVRL_VERSION
                     ": RL post-training of reasoning models\n\nUsage: covrl COMMAND [options]\n\n";
  for (const Command& command : kCommands) {
    const std::string name = command.name;
    text += "  " + name + std::string(12 - name.size(), ' ') + command.summary + "\n";
  }
  return text + "\ncovrl COMMAND --help shows options and an example.\n";
}

}  // namespace

int run_command(const std::vector<std::string>& words) {
  if (words.empty()) throw_usage("no command given\n\n", usage());
  if (words[0] == "--help" || words[0] == "-h" || words[0] == "help") {
    std::cout << usage();
    return 0;
  }
  if (words[0] == "--version") {
    std::cout << "covrl " COVRL_VERSION "\n";
    return 0;
  }
  const std::vector<std::string> args(words.begin() + 1, words.end());
  std::vector<std::string> names;
  for (const Command& command : kCommands) {
    if (words[0] == command.name) return command.run(args);
    names.push_back(command.name);
  }
  const std::string near = cli::nearest(words[0], names);
  throw_usage("unknown command '", words[0], "'",
              near.empty() ? "" : "; did you mean '" + near + "'?", "\n\n", usage());
}

}  // namespace covrl
