#include <array>
#include <filesystem>
#include <iostream>
#include <optional>

#include "core/cli.h"
#include "core/log.h"
#include "rl/commands/commands.h"
#include "rl/commands/device_option.h"
#include "rl/commands/jsonl_output.h"
#include "rl/commands/verifier_words.h"
#include "rl/eval_tables.h"
#include "rl/evaluate.h"
#include "rl/rescore.h"
#include "rl/threads.h"

namespace covrl {

namespace {

constexpr int kNumVerifyThreads = 2;

// Who answers what, and how.
struct SamplingWords {
  std::string model, chat_template = "auto", prompt_suffix, dtype = "float32", device = "auto";
  std::vector<std::string> benchmarks;
  int64_t samples = 1, max_new_tokens = 1024, seed = 1, limit = 0, max_batch = 128;
  double temperature = 0, top_p = 1;
};

// What is told of the responses.
struct TableWords {
  std::string by, format = "table", reflection_words;
};

struct EvalWords {
  SamplingWords sampling;
  std::string responses;              // kept ones, instead of sampling
  VerifierWords verifier = {"", {}};  // no name: math, or the verdicts as kept
  TableWords table;
  std::string output;

  bool judges_again() const { return !verifier.name.empty() || !verifier.overrides.empty(); }
};

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ",") + word;
  return text;
}

std::vector<std::string> split_words(const std::string& text) {
  std::vector<std::string> words;
  for (size_t begin = 0; begin <= text.size();) {
    const size_t end = std::min(text.find(',', begin), text.size());
    words.push_back(text.substr(begin, end - begin));
    if (words.back().empty() && text.size() > 0)
      throw_usage("--reflection-words '", text, "' holds an empty word; separate them by one ','");
    begin = end + 1;
  }
  return text.empty() ? std::vector<std::string>() : words;
}

void add_sampling_words(cli::Parser& parser, SamplingWords& words) {
  parser.option("--model", words.model, "checkpoint folder");
  parser.option("--benchmark", words.benchmarks, "problem file, jsonl or parquet");
  parser.option("--samples", words.samples, "completions per problem");
  parser.option("--temperature", words.temperature, "of the samples; 0: greedy");
  parser.option("--top-p", words.top_p, "nucleus of the samples; 1: off");
  parser.option("--max-new-tokens", words.max_new_tokens, "longest completion");
  parser.option("--seed", words.seed, "seed of the draws");
  parser.option("--prompt-suffix", words.prompt_suffix, "appended to each problem");
  parser.option("--chat-template", words.chat_template,
                "auto: the checkpoint's own; none: plain text; or a family name");
  parser.option("--dtype", words.dtype, "arithmetic of the model").choices({"float32", "bfloat16"});
  parser.option("--limit", words.limit, "first problems of each file; 0: all");
  parser.option("--max-batch", words.max_batch,
                "sequences decoded together: speed and memory only");
  add_device_option(parser, words.device);
}

void add_table_words(cli::Parser& parser, TableWords& words) {
  parser.option("--by", words.by, "tell the figures for each value of this field: level, ...");
  parser.option("--reflection-words", words.reflection_words,
                "words, by commas: the share of responses with one, or an inflection, is told");
  parser.option("--format", words.format, "of the figures on stdout").choices({"table", "jsonl"});
}

void check_sampling(const SamplingWords& words) {
  if (words.model.empty() || words.benchmarks.empty())
    throw_usage(
        "covrl eval: --model and --benchmark are required (or --responses, for kept ones); for "
        "example: covrl eval --model data/tiny/model --benchmark data/tiny/test.jsonl");
  if (words.samples < 1) throw_usage("--samples is ", words.samples, "; at least 1");
  if (words.temperature < 0)
    throw_usage("--temperature is ", words.temperature, "; 0 (greedy) or more");
  if (words.temperature == 0 && words.samples > 1)
    throw_usage("--samples ", words.samples,
                " at --temperature 0 would be the same completion each time; set a temperature");
}

void check_kept(const EvalWords& words) {
  const SamplingWords& given = words.sampling;
  const SamplingWords untouched;
  const std::array<std::pair<const char*, bool>, 13> sampling = {{
      {"--model", given.model != untouched.model},
      {"--benchmark", given.benchmarks != untouched.benchmarks},
      {"--samples", given.samples != untouched.samples},
      {"--temperature", given.temperature != untouched.temperature},
      {"--top-p", given.top_p != untouched.top_p},
      {"--max-new-tokens", given.max_new_tokens != untouched.max_new_tokens},
      {"--seed", given.seed != untouched.seed},
      {"--prompt-suffix", given.prompt_suffix != untouched.prompt_suffix},
      {"--chat-template", given.chat_template != untouched.chat_template},
      {"--dtype", given.dtype != untouched.dtype},
      {"--limit", given.limit != untouched.limit},
      {"--max-batch", given.max_batch != untouched.max_batch},
      {"--device", given.device != untouched.device},
  }};
  for (const auto& [option, is_given] : sampling)
    if (is_given)
      throw_usage(option, " is about sampling, and --responses are sampled already; leave it out");
  if (!words.output.empty() && !words.judges_again())
    throw_usage("--output ", words.output, ": the rows are those of ", words.responses,
                "; give --verifier to judge them again, or leave --output out");
}

EvalWords parse_words(const std::vector<std::string>& args) {
  EvalWords words;
  words.table.reflection_words = joined(EvalSection().reflection_words);
  cli::Parser parser("covrl eval",
                     "Accuracy of a checkpoint on problem sets; or of kept responses, perhaps "
                     "judged by another verifier. docs/evaluation.md explains the figures.",
                     "covrl eval --model data/tiny/model --benchmark data/tiny/test.jsonl "
                     "--samples 4 --temperature 1 --output responses.jsonl");
  add_sampling_words(parser, words.sampling);
  parser.option("--responses", words.responses,
                "in place of a model: kept responses, a file of --output or a run folder; with "
                "@STEP after it, of that step. --verifier judges them again");
  add_verifier_words(parser, words.verifier);
  add_table_words(parser, words.table);
  parser.option("--output", words.output, "jsonl file for a row per response");
  parser.parse(args);
  if (words.responses.empty()) {
    check_sampling(words.sampling);
  } else {
    check_kept(words);
  }
  return words;
}

std::unique_ptr<Verifier> make_judge(VerifierWords words) {
  if (words.name.empty()) words.name = VerifierWords().name;
  return make_verifier(words);
}

void print_results(const std::vector<EvalRow>& rows, const TableWords& words) {
  const std::vector<std::string> reflection = split_words(words.reflection_words);
  const std::vector<EvalResult> results =
      words.by.empty() ? summarise(rows, reflection) : summarise_by(rows, words.by, reflection);
  if (words.format == "table") {
    std::cout << result_tables(results, words.by) << std::flush;
  } else {
    JsonlOutput out("");
    for (const Json& row : result_rows(results, words.by)) out.write(row);
  }
  for (const EvalResult& result : results)
    if (result.num_failed() > 0)
      log::warning(concat(result.name, ": ", result.num_failed(),
                          " responses failed to be sampled or verified and are left out"));
}

void write_rows(const std::vector<EvalRow>& rows, JsonlOutput& out) {
  for (const EvalRow& row : rows) out.write(to_json(row));
}

Pretrained load_model(const SamplingWords& words) {
  const bool own_form = words.chat_template == "none" || words.chat_template == "auto";
  return load_pretrained(words.model, parse_dtype(words.dtype, "--dtype"),
                         own_form ? "" : words.chat_template, device_of(words.device));
}

std::vector<EvalSet> read_sets(const SamplingWords& words, const Pretrained& pretrained) {
  DataConfig data;
  data.use_chat_template = words.chat_template != "none";
  data.prompt_suffix = words.prompt_suffix;
  data.max_prompt_length = pretrained.config.max_position_embeddings;
  std::vector<EvalSet> sets;
  for (const std::string& path : words.benchmarks)
    sets.push_back({std::filesystem::path(path).stem().string(),
                    prepare_prompts(read_prompts(path, data, words.limit > 0 ? words.limit : -1),
                                    data, pretrained)
                        .prompts});
  return sets;
}

Evaluator make_evaluator(const SamplingWords& words, const Pretrained& pretrained) {
  SamplingParams base;
  base.max_new_tokens = words.max_new_tokens;
  base.stop_token_ids = pretrained.generation.eos_token_ids;
  base.seed = static_cast<uint64_t>(words.seed);
  EvalSection section;
  section.greedy = words.temperature == 0;
  section.samples = section.greedy ? 0 : words.samples;
  section.temperature = section.greedy ? 1 : words.temperature;
  section.top_p = words.top_p;
  return Evaluator(section, read_sets(words, pretrained), base);
}

int evaluate_model(const EvalWords& words) {
  const auto world = make_world_communicator();
  log::set_rank(world->rank());
  set_process_threads(0);
  const Pretrained pretrained = load_model(words.sampling);
  std::optional<JsonlOutput> out;
  if (!words.output.empty() && world->is_root()) out.emplace(words.output);
  const auto verifier = make_judge(words.verifier);
  Cluster cluster(*world, /*num_learners=*/0);
  Sampler sampler(*pretrained.model, *pretrained.tokenizer, *verifier, cluster,
                  {words.sampling.max_batch}, kNumVerifyThreads);
  const std::vector<EvalRow> rows =
      make_evaluator(words.sampling, pretrained).run(sampler, {.checkpoint = words.sampling.model});
  if (!world->is_root()) return 0;
  if (out) write_rows(rows, *out);
  print_results(rows, words.table);
  return 0;
}

int tell_responses(const EvalWords& words) {
  std::vector<EvalRow> rows = read_eval_rows(words.responses);
  if (words.judges_again())
    log::info(agreement_text(rescore(rows, *make_judge(words.verifier), kNumVerifyThreads)));
  if (!words.output.empty()) {
    JsonlOutput out(words.output);
    write_rows(rows, out);
  }
  print_results(rows, words.table);
  return 0;
}

}  // namespace

int run_eval(const std::vector<std::string>& args) {
  const EvalWords words = parse_words(args);
  return words.responses.empty() ? evaluate_model(words) : tell_responses(words);
}

}  // namespace covrl
