#include "rl/commands/sampling_words.h"

#include <algorithm>

#include "core/error.h"
#include "rl/commands/device_option.h"
#include "rollout/prompt_style.h"

namespace covrl {
namespace {

void check_suffix(const SamplingWords& words, const std::vector<EvalFile>& files) {
  if (words.prompt_suffix.empty()) return;
  for (const EvalFile& file : files)
    if (file.rules.prompt_style != "given")
      throw_usage("--prompt-suffix has no effect on ", file.path, ", whose prompt_style ",
                  file.rules.prompt_style,
                  " says all of the prompt; leave one of them out, or evaluate that set apart");
}

bool has_examples(const SamplingWords& words) {
  return !words.few_shot.empty() ||
         std::ranges::any_of(words.benchmarks, [](const std::string& text) {
           return text.find(":few_shot=") != std::string::npos;
         });
}

}  // namespace

void add_sampling_words(cli::Parser& parser, SamplingWords& words) {
  parser.option("--model", words.model, "checkpoint folder");
  parser.option("--run", words.run,
                "in place of --model: run folder, of which every checkpoint is evaluated");
  parser.option("--benchmark", words.benchmarks,
                "problem file, jsonl or parquet; with rules of its own: "
                "FILE:samples=8:temperature=0.6:verifier=choice");
  parser.option("--samples", words.samples, "completions per problem");
  parser.option("--temperature", words.temperature, "of the samples; 0: greedy");
  parser.option("--top-p", words.top_p, "nucleus of the samples; 1: off");
  parser.option("--max-new-tokens", words.max_new_tokens, "longest completion");
  parser.option("--seed", words.seed, "seed of the draws");
  parser.option("--prompt-style", words.prompt_style, "how a problem is put to the model")
      .choices(prompt_style_names());
  parser.option("--few-shot", words.few_shot,
                "problem file whose rows (problem, and solution or answer) stand before each "
                "problem");
  parser.option("--shots", words.shots, "first distinct rows of --few-shot; 0: all");
  parser.option("--prompt-key", words.prompt_key,
                "column with the problem; default: prompt, problem, question or messages");
  parser.option("--label-key", words.label_key,
                "column with the gold answer; default: reward_model.ground_truth, answer, ...");
  parser.option("--prompt-suffix", words.prompt_suffix, "appended to each problem");
  parser.option("--chat-template", words.chat_template,
                "auto: the checkpoint's own; none: plain text; or a family name");
  parser.option("--dtype", words.dtype, "arithmetic of the model").choices({"float32", "bfloat16"});
  parser.option("--limit", words.limit, "first problems of each file; 0: all");
  parser.option("--max-batch", words.max_batch,
                "sequences decoded together: speed and memory only");
  add_device_option(parser, words.device);
}

void check_sampling(const SamplingWords& words) {
  if (words.model.empty() == words.run.empty() || words.benchmarks.empty())
    throw_usage(
        "covrl eval: --benchmark and one of --model and --run are required (or --responses, for "
        "kept ones); for example: covrl eval --model data/tiny/model --benchmark "
        "data/tiny/test.jsonl");
  if (words.samples < 1) throw_usage("--samples is ", words.samples, "; at least 1");
  if (words.max_new_tokens < 1)
    throw_usage("--max-new-tokens is ", words.max_new_tokens, "; at least 1");
  if (words.shots < 0) throw_usage("--shots is ", words.shots, "; 0 (all) or more");
  if (words.shots > 0 && !has_examples(words))
    throw_usage("--shots ", words.shots, " has no effect without --few-shot FILE; give it as well");
  if (words.limit < 0) throw_usage("--limit is ", words.limit, "; 0 (all) or more");
  if (words.max_batch < 1) throw_usage("--max-batch is ", words.max_batch, "; at least 1");
  if (!(words.top_p > 0 && words.top_p <= 1))
    throw_usage("--top-p is ", words.top_p, "; above 0, up to 1 (off)");
  if (words.temperature != 0 && (words.temperature < 1e-3 || words.temperature > 100))
    throw_usage("--temperature is ", words.temperature, "; 0 (greedy), or 0.001 to 100");
  if (words.temperature == 0 && words.samples > 1)
    throw_usage("--samples ", words.samples,
                " at --temperature 0 would be the same completion each time; set a temperature");
  check_suffix(words, eval_files(words));
}

std::vector<std::string> given_options(const SamplingWords& words) {
  const SamplingWords untouched;
  std::vector<std::string> given;
  const auto note = [&](const char* option, bool is_given) {
    if (is_given) given.emplace_back(option);
  };
  note("--model", words.model != untouched.model);
  note("--run", words.run != untouched.run);
  note("--benchmark", words.benchmarks != untouched.benchmarks);
  note("--samples", words.samples != untouched.samples);
  note("--temperature", words.temperature != untouched.temperature);
  note("--top-p", words.top_p != untouched.top_p);
  note("--max-new-tokens", words.max_new_tokens != untouched.max_new_tokens);
  note("--seed", words.seed != untouched.seed);
  note("--prompt-style", words.prompt_style != untouched.prompt_style);
  note("--few-shot", words.few_shot != untouched.few_shot);
  note("--shots", words.shots != untouched.shots);
  note("--prompt-key", words.prompt_key != untouched.prompt_key);
  note("--label-key", words.label_key != untouched.label_key);
  note("--prompt-suffix", words.prompt_suffix != untouched.prompt_suffix);
  note("--chat-template", words.chat_template != untouched.chat_template);
  note("--dtype", words.dtype != untouched.dtype);
  note("--limit", words.limit != untouched.limit);
  note("--max-batch", words.max_batch != untouched.max_batch);
  note("--device", words.device != untouched.device);
  return given;
}

std::vector<EvalFile> eval_files(const SamplingWords& words) {
  EvalRules rules;
  rules.greedy = words.temperature == 0;
  rules.samples = rules.greedy ? 0 : words.samples;
  rules.temperature = words.temperature;
  rules.top_p = words.top_p;
  rules.max_problems = words.limit;
  rules.max_new_tokens = words.max_new_tokens;
  rules.prompt_style = words.prompt_style;
  rules.few_shot = words.few_shot;
  rules.shots = words.shots;
  return parse_eval_files(words.benchmarks, rules);
}

DataConfig prompt_form(const SamplingWords& words, const ModelConfig& model,
                       const DataConfig& run) {
  DataConfig data;
  data.prompt_key = words.prompt_key.empty() ? run.prompt_key : words.prompt_key;
  data.label_key = words.label_key.empty() ? run.label_key : words.label_key;
  data.prompt_suffix = words.prompt_suffix.empty() ? run.prompt_suffix : words.prompt_suffix;
  data.use_chat_template =
      words.chat_template == "auto" ? run.use_chat_template : words.chat_template != "none";
  data.max_prompt_length = model.max_position_embeddings;
  return data;
}

SamplingParams base_params(const SamplingWords& words, const GenerationConfig& generation) {
  SamplingParams base;
  base.stop_token_ids = generation.eos_token_ids;
  base.seed = static_cast<uint64_t>(words.seed);
  return base;
}

std::string template_name(const SamplingWords& words, const std::string& run) {
  if (words.chat_template == "auto") return run;
  return words.chat_template == "none" ? "" : words.chat_template;
}

}  // namespace covrl
