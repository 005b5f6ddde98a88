#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iostream>

#include "core/cli.h"
#include "core/jsonl.h"
#include "core/log.h"
#include "rl/commands/commands.h"
#include "rl/commands/device_option.h"
#include "rl/commands/verifier_words.h"
#include "rl/evaluate.h"
#include "rl/threads.h"

namespace covrl {

namespace {

struct EvalWords {
  VerifierWords verifier;
  std::string model, output, chat_template = "auto", prompt_suffix, dtype = "float32",
                             device = "auto";
  std::vector<std::string> benchmarks;
  int64_t samples = 1, max_new_tokens = 1024, seed = 1, limit = 0, max_batch = 128;
  double temperature = 0, top_p = 1;
};

EvalWords parse_words(const std::vector<std::string>& args) {
  EvalWords words;
  cli::Parser parser("covrl eval", "Accuracy of a checkpoint on problem sets.",
                     "covrl eval --model data/tiny/model --benchmark data/tiny/test.jsonl "
                     "--samples 4 --temperature 1");
  parser.option("--model", words.model, "checkpoint folder").required();
  parser.option("--benchmark", words.benchmarks, "problem file, jsonl or parquet; may be repeated")
      .required();
  parser.option("--samples", words.samples, "completions per problem");
  parser.option("--temperature", words.temperature, "of the samples; 0: greedy");
  parser.option("--top-p", words.top_p, "nucleus of the samples; 1: off");
  parser.option("--max-new-tokens", words.max_new_tokens, "longest completion");
  parser.option("--seed", words.seed, "seed of the draws");
  add_verifier_words(parser, words.verifier);
  parser.option("--prompt-suffix", words.prompt_suffix, "appended to each problem");
  parser.option("--chat-template", words.chat_template,
                "auto: the checkpoint's own; none: plain text; or a family name");
  parser.option("--dtype", words.dtype, "arithmetic of the model").choices({"float32", "bfloat16"});
  parser.option("--limit", words.limit, "first problems of each file; 0: all");
  parser.option("--max-batch", words.max_batch,
                "sequences decoded together: speed and memory only");
  parser.option("--output", words.output, "jsonl file for a row per sample");
  add_device_option(parser, words.device);
  parser.parse(args);
  if (words.samples < 1) throw_usage("--samples is ", words.samples, "; at least 1");
  if (words.temperature < 0)
    throw_usage("--temperature is ", words.temperature, "; 0 (greedy) or more");
  if (words.temperature == 0 && words.samples > 1)
    throw_usage("--samples ", words.samples,
                " at --temperature 0 would be the same completion each time; set a temperature");
  return words;
}

void write_rows(std::ofstream& out, const EvalSet& set, const std::vector<Group>& groups) {
  for (const Group& group : groups) {
    for (size_t sample = 0; sample < group.trajectories.size(); ++sample) {
      const Trajectory& trajectory = group.trajectories[sample];
      out << Json{{"benchmark", set.name},
                  {"id", group.prompt.id},
                  {"sample", sample},
                  {"outcome", outcome_name(trajectory.verdict.outcome)},
                  {"extracted", trajectory.verdict.extracted},
                  {"gold", group.prompt.gold},
                  {"response", trajectory.text},
                  {"finish_reason", finish_reason_name(trajectory.finish_reason)},
                  {"num_tokens", trajectory.tokens.size()}}
                 .dump(-1, ' ', false, Json::error_handler_t::replace)
          << "\n";
    }
  }
}

void print_table(const std::vector<EvalResult>& results, const EvalWords& words) {
  const std::string k = std::to_string(words.samples);
  std::printf("%-18s %8s %9s %17s %9s %9s %8s %8s %9s\n", "benchmark", "problems",
              ("mean@" + k).c_str(), "95 % interval", ("pass@" + k).c_str(), ("maj@" + k).c_str(),
              "length", "parsed", "truncated");
  for (const EvalResult& r : results) {
    std::printf("%-18s %8lld %7.1f %% %7.1f - %5.1f %% %7.1f %% %7.1f %% %8.1f %6.1f %% %7.1f %%\n",
                r.name.c_str(), static_cast<long long>(r.num_problems), 100 * r.mean_at_k,
                100 * r.low, 100 * r.high, 100 * r.pass_at_k, 100 * r.maj_at_k, r.mean_length,
                100 * r.parsed_share, 100 * r.truncated_share);
    if (r.num_failed > 0)
      log::warning(concat(r.name, ": ", r.num_failed,
                          " completions failed to be sampled or verified and are left out"));
  }
  std::fflush(stdout);
}

}  // namespace

int run_eval(const std::vector<std::string>& args) {
  const EvalWords words = parse_words(args);
  const auto world = make_world_communicator();
  log::set_rank(world->rank());
  set_process_threads(0);
  const bool plain = words.chat_template == "none";
  const Pretrained pretrained = load_pretrained(
      words.model, parse_dtype(words.dtype, "--dtype"),
      plain || words.chat_template == "auto" ? "" : words.chat_template, device_of(words.device));
  DataConfig data;
  data.use_chat_template = !plain;
  data.prompt_suffix = words.prompt_suffix;
  data.max_prompt_length = pretrained.config.max_position_embeddings;
  std::ofstream out;
  if (!words.output.empty() && world->is_root()) {
    out.open(words.output);
    if (!out) throw_usage("--output: cannot write ", words.output);
  }

  SamplingParams base;
  base.filter = {.temperature = words.temperature, .top_p = words.top_p};
  base.max_new_tokens = words.max_new_tokens;
  base.stop_token_ids = pretrained.generation.eos_token_ids;
  base.seed = static_cast<uint64_t>(words.seed);
  EvalSection section;
  section.greedy = words.temperature == 0;
  section.samples = section.greedy ? 0 : words.samples;
  section.temperature = section.greedy ? 1 : words.temperature;
  section.top_p = words.top_p;

  const auto verifier = make_verifier(words.verifier);
  Cluster cluster(*world, /*num_learners=*/0);
  Sampler sampler(*pretrained.model, *pretrained.tokenizer, *verifier, cluster, {words.max_batch},
                  /*num_verify_threads=*/2);
  std::vector<EvalSet> sets;
  for (const std::string& path : words.benchmarks)
    sets.push_back({std::filesystem::path(path).stem().string(),
                    prepare_prompts(read_prompts(path, data, words.limit > 0 ? words.limit : -1),
                                    data, pretrained)
                        .prompts});
  std::vector<std::vector<Group>> groups;
  const std::vector<EvalResult> results =
      Evaluator(section, sets, base).run(sampler, /*weight_version=*/0, &groups);
  if (!world->is_root()) return 0;
  for (size_t i = 0; i < sets.size() && out.is_open(); ++i) write_rows(out, sets[i], groups[i]);
  print_table(results, words);
  return 0;
}

}  // namespace covrl
