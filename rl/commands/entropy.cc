#include <iostream>

#include "core/cli.h"
#include "core/error.h"
#include "core/jsonl.h"
#include "core/log.h"
#include "rl/commands/commands.h"
#include "rl/commands/device_option.h"
#include "rl/commands/inputs.h"
#include "rl/report/entropy_report.h"

namespace covrl {

int run_entropy(const std::vector<std::string>& args) {
  std::vector<std::string> run_dirs;
  std::string output, device = "auto";
  EntropyQuery query;
  cli::Parser parser("covrl entropy",
                     "What a run's metrics say about its entropy: the law R = -a e^H + b with its "
                     "ceiling, predicted against measured entropy change, selected tokens. Prints "
                     "them and draws a page; docs/entropy_law.md explains them.",
                     "covrl entropy --run runs/tiny_one_shot_grpo --set test --measure mean@k");
  parser.option("--run", run_dirs, "run folder of covrl train").required();
  parser.option("--set", query.set, "evaluation set that R is measured on; default: the first");
  parser.option("--measure", query.measure,
                "mean@k (whatever k was), greedy, or a measure's full name; default: mean@k, else "
                "greedy");
  parser.option("--first", query.first_share,
                "share of the evaluations that predicts the final reward (the paper: 0.15)");
  parser.option("--output", output, "page to write; default: entropy.html in the first run");
  add_device_option(parser, device, kDeviceIsUnused);
  parser.parse(args);
  if (!(query.first_share > 0 && query.first_share < 1))
    throw_usage("--first: ", query.first_share, " is not between 0 and 1");
  InputFiles inputs;
  for (const std::string& dir : run_dirs) inputs = inputs + run_inputs("--run", dir);
  check_replaces_none("--output", output, inputs);
  std::vector<EntropyFindings> runs;
  for (const std::string& dir : run_dirs) {
    runs.push_back(find_entropy(dir, query));
    std::cout << (runs.size() > 1 ? "\n" : "") << entropy_text(runs.back());
  }
  if (output.empty()) output = run_dirs.front() + "/entropy.html";
  write_file_atomically(output, entropy_page(runs));
  log::info("Page: " + output);
  return 0;
}

}  // namespace covrl
