#include <iostream>

#include "core/cli.h"
#include "rl/commands/commands.h"
#include "rl/commands/config_words.h"
#include "rl/commands/device_option.h"
#include "rl/run_config.h"
#include "rl/sft.h"
#include "rl/sweep/sweep_config.h"

namespace covrl {

namespace {

template <class Config>
std::string shown(bool docs) {
  Config config;
  const auto describe = [&](config::Visitor& v) { config.describe(v); };
  return docs ? config::document(describe) : config::dump(describe, config::Comments::kHelp);
}

}  // namespace

int run_config(const std::vector<std::string>& args) {
  bool defaults = false, docs = false;
  std::string command = "train", device = "auto";
  cli::Parser parser(
      "covrl config",
      "Annotated defaults, or generated documentation, of a command's configuration.",
      "covrl config --default");
  parser.flag("--default", defaults, "YAML of every key with its default and help");
  parser.flag("--docs", docs, "Markdown tables of every key");
  parser.option("--command", command, "whose configuration").choices({"train", "sft", "sweep"});
  add_device_option(parser, device, kDeviceIsUnused);
  parser.parse(args);
  if (defaults == docs) throw_usage("covrl config: give either --default or --docs");
  std::cout << (command == "train" ? shown<RunConfig>(docs)
                : command == "sft" ? shown<SftConfig>(docs)
                                   : shown<SweepDocument>(docs));
  return 0;
}

}  // namespace covrl
