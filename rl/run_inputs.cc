#include <set>

#include "core/error.h"
#include "core/log.h"
#include "policy/device.h"
#include "rl/trainer.h"
#include "rollout/training_set.h"

namespace covrl {

namespace {

Pretrained load_start(const RunConfig& config, Weights weights) {
  const ModelSection& model = config.model;
  const at::Device device = choose_device(model.device, "model.device");
  if (weights == Weights::kSkip)
    return load_pretrained_without_weights(model.path, model.chat_template);
  if (model.init == "random")
    return random_pretrained(model.path, static_cast<uint64_t>(config.trainer.seed),
                             model.chat_template, device);
  return load_pretrained(model.path, {}, model.chat_template, device);
}

// Evaluation sets share the prompt form of training; they are not repeated.
DataConfig eval_data_config(const RunConfig& config) {
  DataConfig data = config.data;
  data.repeat = 1;
  return data;
}

// The first distinct problems of the training set, to be watched beside the others.
EvalSet training_problems(const PromptSet& train, const EvalSection& eval) {
  EvalSet set{"train", {}, eval};
  set.rules.verifier = "main";
  std::set<std::pair<std::vector<int64_t>, std::string>> seen;
  for (const Prompt& prompt : train.prompts) {
    if (static_cast<int64_t>(set.prompts.size()) == eval.train_problems) break;
    if (seen.emplace(prompt.tokens, prompt.gold).second) set.prompts.push_back(prompt);
  }
  return set;
}

void check_inputs(const RunConfig& config) {
  const RunDir dir{config.trainer.run_dir};
  check_is_input(dir, "model.path", config.model.path);
  for (const std::string& file : config.data.train_files)
    check_is_input(dir, "data.train_files", file);
  for (const EvalFile& file : parse_eval_files(config.eval.files, config.eval)) {
    check_is_input(dir, "eval.files", file.path);
    check_is_input(dir, "eval.few_shot", file.rules.few_shot);
  }
}

}  // namespace

RunInputs load_run_inputs(const RunConfig& config, Weights weights) {
  check_inputs(config);
  RunInputs inputs;
  inputs.pretrained = load_start(config, weights);
  TrainingSet train = read_training_set(config.data);
  inputs.data_notes = std::move(train.notes);
  inputs.train = prepare_prompts(std::move(train.rows), config.data, inputs.pretrained);
  const DataConfig data = eval_data_config(config);
  for (const EvalFile& file : parse_eval_files(config.eval.files, config.eval))
    inputs.eval_sets.push_back(
        load_eval_set(file, data, inputs.pretrained, config.verifier.options));
  if (config.eval.train_problems > 0 && !config.eval.files.empty()) {
    if (config.eval.asks())
      inputs.eval_sets.push_back(training_problems(inputs.train, config.eval));
    else
      log::info(
          "the set 'train' is left out: eval.samples is 0 and eval.greedy false, the rules of all "
          "sets that have none of their own");
  }
  return inputs;
}

}  // namespace covrl
