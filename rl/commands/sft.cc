#include "rl/sft.h"

#include <iostream>

#include "core/interrupt.h"
#include "core/log.h"
#include "kernels/mode.h"
#include "rl/commands/commands.h"
#include "rl/commands/config_words.h"
#include "rl/threads.h"

namespace covrl {

int run_sft(const std::vector<std::string>& args) {
  ConfigWords words;
  bool config_only = false;
  cli::Parser parser("covrl sft", "Supervised fine-tuning.",
                     "covrl sft --config configs/tiny/sft.yaml");
  add_config_words(parser, words);
  parser.flag("--config-only", config_only,
              "print the resolved configuration and stop; reads neither model nor data");
  parser.parse(args);

  SftConfig config;
  load_config(words, config);
  if (config_only) {
    std::cout << dump_config(config) << std::flush;
    log::info(concat("Not checked: tokenizer and weights of ", config.model.path, "; data files"));
    return 0;
  }
  const auto world = make_world_communicator();
  log::set_rank(world->rank());
  kernels::set_mode(config.model.kernels == "reference" ? kernels::Mode::kReference
                                                        : kernels::Mode::kFast);
  set_process_threads(config.trainer.num_threads);
  install_interrupt_handlers();
  run_sft_training(config, *world, args);
  return 0;
}

}  // namespace covrl
