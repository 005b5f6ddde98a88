// How `covrl eval` says who answers which problems, and how: the words, and what they mean.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "core/cli.h"
#include "policy/pretrained.h"
#include "rl/evaluation/eval_rules.h"
#include "rollout/data_config.h"
#include "rollout/engine.h"

namespace covrl {

struct SamplingWords {
  std::string model, run;  // one of the two: a checkpoint, or all of a run
  std::vector<std::string> benchmarks;
  int64_t samples = 1, max_new_tokens = 1024, seed = 1, limit = 0, max_batch = 128, shots = 0;
  double temperature = 0, top_p = 1;
  std::string prompt_style = "given", few_shot, prompt_suffix, chat_template = "auto";
  std::string prompt_key, label_key;  // columns of the problem files; empty: those of the run
  std::string dtype = "float32", device = "auto";
  bool operator==(const SamplingWords&) const = default;
};

void add_sampling_words(cli::Parser& parser, SamplingWords& words);
// Error(kUsage) for what does not go together.
void check_sampling(const SamplingWords& words);
// The options that were given, as they are written.
std::vector<std::string> given_options(const SamplingWords& words);

// The benchmarks, each with its rules. Error(kUsage) for rules without effect or sense.
std::vector<EvalFile> eval_files(const SamplingWords& words);
// Columns and the prompt form that the style `given` means: those of `run`, where it is not said
// otherwise.
DataConfig prompt_form(const SamplingWords& words, const ModelConfig& model,
                       const DataConfig& run = {});
SamplingParams base_params(const SamplingWords& words, const GenerationConfig& generation);
// The family or file for load_pretrained; `run`: that of the run.
std::string template_name(const SamplingWords& words, const std::string& run = "");

}  // namespace covrl
