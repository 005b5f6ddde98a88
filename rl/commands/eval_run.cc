#include "rl/commands/eval_run.h"

#include <sstream>

#include "core/error.h"
#include "core/hash.h"
#include "core/log.h"
#include "rl/commands/device_option.h"
#include "rl/evaluate.h"
#include "rl/kept_rows.h"
#include "rl/run_policies.h"

namespace covrl {

namespace {

// What the responses to a set depend on, beside the checkpoint.
Json settings_of(const EvalFile& file, size_t place, const SamplingWords& words,
                 const VerifierWords& judge) {
  Json settings = {{"content", hash_text(hash_file(file.path))},
                   {"place", place},
                   {"seed", words.seed},
                   {"dtype", words.dtype},
                   {"chat_template", words.chat_template},
                   {"prompt_suffix", words.prompt_suffix},
                   {"main_verifier", judge.name},
                   {"verifier_keys", judge.overrides}};
  EvalRules rules = file.rules;
  std::istringstream lines(
      config::dump([&](config::Visitor& v) { rules.describe(v); }, config::Comments::kNone));
  for (std::string line; std::getline(lines, line);)
    if (const size_t colon = line.find(": "); colon != std::string::npos)
      settings[line.substr(0, colon)] = line.substr(colon + 2);
  if (!rules.few_shot.empty()) settings["few_shot_content"] = hash_text(hash_file(rules.few_shot));
  return settings;
}

// The sets of one checkpoint that have no rows yet.
struct Work {
  size_t policy = 0;
  std::vector<size_t> files;
};

std::vector<Work> open_work(const RunPolicies& run, const std::vector<EvalFile>& files,
                            const KeptRows& kept) {
  std::vector<Work> all;
  for (size_t policy = 0; policy < run.steps.size(); ++policy) {
    Work work{policy, {}};
    for (size_t i = 0; i < files.size(); ++i)
      if (!kept.has(files[i].name, run.steps[policy])) work.files.push_back(i);
    if (!work.files.empty()) all.push_back(std::move(work));
  }
  return all;
}

}  // namespace

std::vector<EvalRow> evaluate_checkpoints(const SamplingWords& words, const VerifierWords& judge,
                                          const std::string& folder, Communicator& world) {
  const RunPolicies run = read_run_policies(words.run);
  const std::vector<EvalFile> files = eval_files(words);
  const KeptRows kept(folder.empty() ? words.run + "/evaluation" : folder);
  std::vector<Json> settings;
  for (size_t i = 0; i < files.size(); ++i) {
    settings.push_back(settings_of(files[i], i, words, judge));
    kept.check(files[i].name, settings.back());
  }
  const std::vector<Work> work = open_work(run, files, kept);
  world.barrier();  // every rank has looked before the root writes
  for (size_t i = 0; i < files.size() && world.is_root(); ++i)
    kept.begin(files[i].name, settings[i]);

  const auto verifier = make_verifier(judge);
  const VerifierOptions options = verifier_options(judge);
  Cluster cluster(world, /*num_learners=*/0);
  for (const auto& [policy, missing] : work) {
    const Pretrained pretrained =
        load_policy(run, policy, parse_dtype(words.dtype, "--dtype"),
                    template_name(words, run.config.model.chat_template), device_of(words.device));
    Sampler sampler(*pretrained.model, *pretrained.tokenizer, *verifier, cluster, {words.max_batch},
                    kNumVerifyThreads);
    const DataConfig data = prompt_form(words, pretrained.config, run.config.data);
    const SamplingParams base = base_params(words, pretrained.generation);
    for (const size_t i : missing) {
      log::info(concat("step ", run.steps[policy], ": ", files[i].name));
      const Evaluator evaluator({load_eval_set(files[i], i, data, pretrained, options)}, base);
      const std::vector<EvalRow> rows =
          evaluator.run(sampler, {.step = run.steps[policy], .checkpoint = run.dirs[policy]});
      if (world.is_root()) kept.write(files[i].name, run.steps[policy], rows);
    }
  }
  std::vector<EvalRow> rows;
  if (!world.is_root()) return rows;
  for (const int64_t step : run.steps)
    for (const EvalFile& file : files)
      for (EvalRow& row : kept.read(file.name, step)) rows.push_back(std::move(row));
  return rows;
}

}  // namespace covrl
