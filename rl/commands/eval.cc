#include <algorithm>
#include <iostream>

#include "core/cli.h"
#include "core/interrupt.h"
#include "core/joined.h"
#include "core/log.h"
#include "rl/commands/commands.h"
#include "rl/commands/device_option.h"
#include "rl/commands/eval_run.h"
#include "rl/commands/jsonl_output.h"
#include "rl/commands/sampling_words.h"
#include "rl/commands/verifier_words.h"
#include "rl/evaluation/best_step.h"
#include "rl/evaluation/eval_tables.h"
#include "rl/evaluation/evaluate.h"
#include "rl/evaluation/rescore.h"
#include "rl/run_config.h"
#include "rl/threads.h"

namespace covrl {

namespace {

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
  std::vector<std::string> choose_on;

  bool judges_again() const { return !verifier.name.empty() || !verifier.overrides.empty(); }
};

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

void add_table_words(cli::Parser& parser, TableWords& words) {
  parser.option("--by", words.by, "tell the figures for each value of this field: level, ...");
  parser.option("--reflection-words", words.reflection_words,
                "words, by commas: the share of responses with one, or an inflection, is told");
  parser.option("--format", words.format, "of the figures on stdout").choices({"table", "jsonl"});
}

void check_kept(const EvalWords& words) {
  for (const std::string& option : given_options(words.sampling))
    throw_usage(option, " is about sampling, and --responses are sampled already; leave it out");
  if (!words.output.empty() && !words.judges_again())
    throw_usage("--output ", words.output, ": the rows are those of ", words.responses,
                "; give --verifier to judge them again, or leave --output out");
}

EvalWords parse_words(const std::vector<std::string>& args) {
  EvalWords words;
  words.table.reflection_words = joined(EvalSection().reflection_words, ",");
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
  parser.option("--choose-on", words.choose_on,
                "with --run: benchmark on which the best step is chosen; default: all");
  parser.option("--output", words.output,
                "jsonl file for a row per response; with --run a folder of them, RUN/evaluation "
                "where none is named");
  parser.parse(args);
  if (words.responses.empty()) {
    check_sampling(words.sampling);
  } else {
    check_kept(words);
  }
  if (!words.choose_on.empty() && words.sampling.run.empty())
    throw_usage("--choose-on is about the steps of a run; give --run, or leave it out");
  return words;
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

// The words of the verifier, where one judges: named, or the default.
VerifierWords judge_words(const EvalWords& words, const std::vector<EvalFile>& files) {
  VerifierWords judge = words.verifier;
  if (judge.name.empty()) judge.name = VerifierWords().name;
  for (const EvalFile& file : files)
    if (file.rules.verifier != "main") judge.others.push_back(file.rules.verifier);
  return judge;
}

InputFiles inputs_of(const SamplingWords& words, const std::vector<EvalFile>& files) {
  InputFiles inputs = checkpoint_inputs("--model", words.model);
  for (const EvalFile& file : files) {
    inputs.push_back({"--benchmark", file.path});
    inputs.push_back({"--few-shot", file.rules.few_shot});
  }
  return inputs;
}

// --output may replace an earlier evaluation, and nothing else.
void check_replaced(const std::string& output, const InputFiles& inputs) {
  check_output(output, inputs);
  if (!may_be_replaced_by_rows(output))
    throw_usage("--output: ", output,
                " holds something else than the rows of an evaluation, and would be replaced; name "
                "another file, or remove this one");
}

// With --responses: the file they are read from may be replaced, where all of it is read.
void check_rewritten(const EvalWords& words) {
  const EvalSource source = parse_eval_source(words.responses);
  InputFiles inputs;
  if (source.step)
    inputs.push_back(
        {concat("--responses, of which step ", *source.step, " alone is taken"), source.path});
  check_replaced(words.output, inputs);
}

[[noreturn]] void throw_interrupted(const std::string& output, size_t finished, size_t sets) {
  throw_runtime("interrupted after ", finished, " of ", sets, " sets",
                finished == 0 || output.empty() ? "" : "; their rows are in " + output);
}

std::vector<EvalRow> evaluate_model(const EvalWords& words, Communicator& world) {
  const SamplingWords& sampling = words.sampling;
  const bool keeps = !words.output.empty() && world.is_root();
  const std::vector<EvalFile> files = eval_files(sampling);
  if (keeps) check_replaced(words.output, inputs_of(sampling, files));
  const VerifierWords judge = judge_words(words, files);
  const Pretrained pretrained =
      load_pretrained(sampling.model, parse_dtype(sampling.dtype, "--dtype"),
                      template_name(sampling), device_of(sampling.device));
  const auto verifier = make_verifier(judge);
  Cluster cluster(world, /*num_learners=*/0);
  Sampler sampler(*pretrained.model, *pretrained.tokenizer, *verifier, cluster,
                  {sampling.max_batch}, kNumVerifyThreads);
  const DataConfig data = prompt_form(sampling, pretrained.config);
  std::vector<EvalSet> sets;
  for (const EvalFile& file : files)
    sets.push_back(load_eval_set(file, data, pretrained, verifier_options(judge)));
  const EvalOrigin origin{.checkpoint = sampling.model,
                          .judges = judges_of(sets, judge_text(judge))};
  const SamplingParams base = base_params(sampling, pretrained.generation);
  size_t finished = 0;
  std::vector<EvalRow> rows;
  for (; finished < sets.size() && !interrupt_requested(world); ++finished) {
    log::info(concat(sets[finished].name, ": ", sets[finished].prompts.size(), " problems"));
    for (EvalRow& row : Evaluator({std::move(sets[finished])}, base).run(sampler, origin))
      rows.push_back(std::move(row));
  }
  if (keeps && finished > 0) write_output(words.output, to_jsonl(rows));
  if (finished < sets.size()) throw_interrupted(words.output, finished, sets.size());
  return rows;
}

// A line for each checkpoint, then the last and the best apart, and all about these two; for
// programs all about all.
void print_checkpoints(std::vector<EvalRow> rows, const EvalWords& words) {
  const std::vector<StepAccuracy> steps =
      step_accuracies(summarise(rows, split_words(words.table.reflection_words)));
  const LastAndBest told = last_and_best(steps, words.choose_on);
  if (words.table.format == "table")
    std::cout << to_text(step_table(steps)) << "\n" << told.text << "\n\n" << std::flush;
  if (!told.warning.empty()) log::warning(told.warning);
  if (words.table.format == "table") {
    const int64_t best = best_step(steps, words.choose_on).step, last = steps.back().step;
    std::erase_if(rows, [&](const EvalRow& row) { return row.step != best && row.step != last; });
  }
  for (EvalRow& row : rows) row.checkpoint.clear();  // the step says it
  print_results(rows, words.table);
}

void check_choice(const EvalWords& words, const std::vector<EvalFile>& files) {
  for (const std::string& name : words.choose_on)
    if (std::ranges::none_of(files, [&](const EvalFile& file) { return file.name == name; }))
      throw_usage("--choose-on ", name, ": no benchmark has that name; name one of --benchmark, ",
                  "without folder and extension");
}

int evaluate(const EvalWords& words) {
  const auto world = make_world_communicator();
  log::set_rank(world->rank());
  set_process_threads(0);
  install_interrupt_handlers();
  const bool of_run = !words.sampling.run.empty();
  check_choice(words, eval_files(words.sampling));
  const std::vector<EvalRow> rows =
      of_run ? evaluate_checkpoints(words.sampling, judge_words(words, eval_files(words.sampling)),
                                    words.output, *world)
             : evaluate_model(words, *world);
  if (!world->is_root()) return 0;
  if (of_run) {
    print_checkpoints(rows, words);
  } else {
    print_results(rows, words.table);
  }
  return 0;
}

void warn_of_several_judges(const std::vector<EvalRow>& rows) {
  for (const auto& [set, judges] : judges_of(rows))
    if (judges.size() > 1)
      log::warning(concat(
          set, ": several verifiers judged its responses: ", joined({judges.begin(), judges.end()}),
          "; --verifier judges all of them again by one"));
}

int tell_responses(const EvalWords& words) {
  if (!words.output.empty()) check_rewritten(words);
  std::vector<EvalRow> rows = read_eval_rows(words.responses);
  if (words.judges_again()) {
    const VerifierWords judge = judge_words(words, {});
    log::info(
        agreement_text(rescore(rows, *make_verifier(judge), judge_text(judge), kNumVerifyThreads)));
  }
  warn_of_several_judges(rows);
  if (!words.output.empty()) write_output(words.output, to_jsonl(rows));
  print_results(rows, words.table);
  return 0;
}

}  // namespace

int run_eval(const std::vector<std::string>& args) {
  const EvalWords words = parse_words(args);
  return words.responses.empty() ? evaluate(words) : tell_responses(words);
}

}  // namespace covrl
