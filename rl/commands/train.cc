#include <iostream>

#include "core/cli.h"
#include "core/interrupt.h"
#include "core/log.h"
#include "kernels/mode.h"
#include "rl/commands/commands.h"
#include "rl/commands/config_words.h"
#include "rl/threads.h"
#include "rl/trainer.h"

namespace covrl {

namespace {

void print_start(const RunConfig& config, const RunInputs& inputs, int num_ranks) {
  log::info(concat("Model:    ", config.model.path, ", ", inputs.pretrained.config.model_type, ", ",
                   inputs.pretrained.config.num_parameters(), " parameters"));
  log::info("Training: " + inputs.train.summary());
  for (const EvalSet& set : inputs.eval_sets)
    log::info(concat("Eval:     ", set.name, ", ", set.prompts.size(), " problems"));
  log::info(batch_table(config, num_ranks));
}

}  // namespace

int run_train(const std::vector<std::string>& args) {
  ConfigWords words;
  bool dry_run = false;
  cli::Parser parser("covrl train", "Reinforcement learning with verifiable rewards.",
                     "covrl train --config configs/tiny/one_shot_grpo.yaml trainer.seed=2");
  add_config_words(parser, words);
  parser.flag("--dry-run", dry_run,
              "print the resolved configuration and derived sizes, then stop");
  parser.parse(args);

  RunConfig config;
  load_config(words, config);
  const auto world = make_world_communicator();
  log::set_rank(world->rank());
  kernels::set_mode(config.model.kernels == "reference" ? kernels::Mode::kReference
                                                        : kernels::Mode::kFast);
  set_process_threads(config.trainer.num_threads);
  install_interrupt_handlers();
  Cluster cluster(*world, config.cluster.learners);
  if (dry_run) {
    if (world->is_root()) std::cout << dump_config(config) << std::flush;
    const RunInputs inputs = load_run_inputs(config, Weights::kSkip);
    if (world->is_root()) print_start(config, inputs, world->size());
    return 0;
  }
  RunInputs inputs = load_run_inputs(config, Weights::kLoad);
  if (world->is_root()) print_start(config, inputs, world->size());
  Trainer trainer(config, std::move(inputs), cluster, args);
  trainer.run();
  return 0;
}

}  // namespace covrl
