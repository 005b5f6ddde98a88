#include <filesystem>
#include <iostream>
#include <optional>

#include "core/cli.h"
#include "core/interrupt.h"
#include "core/log.h"
#include "kernels/mode.h"
#include "policy/model_config.h"
#include "rl/commands/commands.h"
#include "rl/commands/config_words.h"
#include "rl/data_report.h"
#include "rl/op_profile.h"
#include "rl/threads.h"
#include "rl/trainer.h"
#include "verifiers/weighted.h"

namespace covrl {

namespace {

void print_start(const RunConfig& config, const RunInputs& inputs, int num_ranks) {
  log::info(concat("Model:    ", config.model.path, ", ", inputs.pretrained.config.model_type, ", ",
                   inputs.pretrained.config.num_parameters(), " parameters"));
  log::info("Training: " + inputs.train.summary());
  for (const std::string& note : inputs.data_notes) log::info(note);
  for (const EvalSet& set : inputs.eval_sets)
    log::info(concat("Eval:     ", set.name, ", ", set.prompts.size(), " problems"));
  log::info(batch_table(config, num_ranks));
  log::info(rendered_prompts(inputs.train, *inputs.pretrained.tokenizer) + "\n");
  const std::string unmerged = merge_copies_fault(inputs.train, config.trainer.train_batch_size);
  if (config.data.merge_copies && !unmerged.empty()) log::warning(unmerged);
  if (config.verifier.name.front().starts_with("external")) return;  // not ours to try for a look
  const std::unique_ptr<Verifier> verifier =
      make_verifiers(config.verifier.name, config.reward.weights, config.verifier.options);
  const std::string faults =
      gold_fault_text(find_gold_faults(inputs.train, *verifier), inputs.train);
  if (!faults.empty()) log::warning(faults);
}

constexpr size_t kNumProfiledOps = 25;  // shown by --profile

struct TrainWords {
  ConfigWords config;
  bool dry_run = false, config_only = false, profile = false;
  std::string model_shape;
};

TrainWords parse_words(const std::vector<std::string>& args) {
  TrainWords words;
  cli::Parser parser("covrl train", "Reinforcement learning with verifiable rewards.",
                     "covrl train --config configs/tiny/one_shot_grpo.yaml trainer.seed=2");
  add_config_words(parser, words.config);
  parser.flag("--dry-run", words.dry_run,
              "print the resolved configuration and derived sizes, then stop; reads all but the "
              "weights");
  parser.flag("--config-only", words.config_only,
              "the same for a run whose model and data are not here: reads neither, and says what "
              "it could not check");
  parser.flag("--profile", words.profile,
              "print where the time went, by verb and operation (rank 0)");
  parser.option("--model-shape", words.model_shape,
                "with --config-only: folder with the model's config.json, in place of model.path");
  parser.parse(args);
  if (words.profile && (words.dry_run || words.config_only))
    throw_usage("covrl train: --profile is of a run; leave out --dry-run and --config-only");
  if (!words.model_shape.empty() && !words.config_only)
    throw_usage("covrl train: --model-shape is for --config-only; give both, or neither");
  return words;
}

void load_train_config(const ConfigWords& words, RunConfig& config) {
  config::load({words.files, words.all_overrides()}, [&](config::Visitor& v) {
    config.describe(v);
    if (v.given("sweep"))
      throw_usage(v.place("sweep"), ": sweep: these are several runs; start them with covrl sweep");
  });
}

// Size of the model, where its config.json is at hand.
void print_shape(const RunConfig& config, const std::string& dir) {
  if (!std::filesystem::exists(dir + "/config.json")) {
    log::info(concat("Model:    ", config.model.path, ", of unknown shape: ", dir,
                     "/config.json is not here (scripts/fetch_model.sh, or --model-shape DIR)"));
    return;
  }
  const ModelConfig model = read_model_config(dir);
  log::info(concat("Model:    ", config.model.path, ", ", model.model_type, ", ",
                   model.num_parameters(), " parameters: ", model.num_hidden_layers, " layers of ",
                   model.hidden_size, ", ", model.num_attention_heads, " heads (",
                   model.num_key_value_heads, " of keys and values), vocabulary ", model.vocab_size,
                   ", ", model.max_position_embeddings, " positions"));
  const int64_t longest = config.data.max_prompt_length + config.rollout.max_new_tokens;
  if (longest > model.max_position_embeddings)
    log::warning(concat("data.max_prompt_length + rollout.max_new_tokens is ", longest,
                        " tokens, more than the model's positions"));
}

// Needs nothing but the configuration, so that a preset can be checked on any machine.
void check_config_only(RunConfig& config, const std::string& model_shape) {
  std::cout << dump_config(config) << std::flush;
  print_shape(config, model_shape.empty() ? config.model.path : model_shape);
  log::info(batch_table(config, 1));
  std::string files;
  for (const std::string& file : config.data.train_files) files += " " + file;
  for (const std::string& file : config.eval.files) files += " " + file;
  log::info(concat("Not checked: weights, tokenizer and chat template of ", config.model.path,
                   "; data files", files, "; roles of several ranks; memory"));
}

}  // namespace

int run_train(const std::vector<std::string>& args) {
  const TrainWords words = parse_words(args);
  RunConfig config;
  load_train_config(words.config, config);
  if (words.config_only) {
    check_config_only(config, words.model_shape);
    return 0;
  }
  const auto world = make_world_communicator();
  log::set_rank(world->rank());
  kernels::set_mode(config.model.kernels == "reference" ? kernels::Mode::kReference
                                                        : kernels::Mode::kFast);
  set_process_threads(config.trainer.num_threads);
  install_interrupt_handlers();
  Cluster cluster(*world, config.cluster.learners);
  if (words.dry_run) {
    if (world->is_root()) std::cout << dump_config(config) << std::flush;
    const RunInputs inputs = load_run_inputs(config, Weights::kSkip);
    if (world->is_root()) print_start(config, inputs, world->size());
    return 0;
  }
  RunInputs inputs = load_run_inputs(config, Weights::kLoad);
  if (world->is_root()) print_start(config, inputs, world->size());
  Trainer trainer(config, std::move(inputs), cluster, args);
  std::optional<OpProfile> profile;
  if (words.profile) profile.emplace();
  const RunEnd end = trainer.run();
  if (profile && world->is_root())
    std::cout << "\n" << profile_text(profile->rows(), kNumProfiledOps) << std::flush;
  return end == RunEnd::kAlarm ? kEndedByAlarm : 0;
}

}  // namespace covrl
