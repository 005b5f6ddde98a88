#include "rl/commands/eval_run.h"

#include <sstream>

#include "core/error.h"
#include "core/hash.h"
#include "core/log.h"
#include "rl/commands/device_option.h"
#include "rl/evaluation/evaluate.h"
#include "rl/evaluation/kept_rows.h"
#include "rl/evaluation/run_policies.h"

namespace covrl {

namespace {

// What the responses to a set depend on, beside the policy. The prompt form is that of the run
// where the words leave it open.
Json settings_of(const EvalFile& file, const SamplingWords& words, const VerifierWords& judge,
                 const RunConfig& run) {
  const DataConfig data = prompt_form(words, {}, run.data);
  Json settings = {{"content", hash_text(hash_file(file.path))},
                   {"seed", words.seed},
                   {"dtype", words.dtype},
                   {"chat_template", template_name(words, run.model.chat_template)},
                   {"use_chat_template", data.use_chat_template},
                   {"prompt_suffix", data.prompt_suffix},
                   {"prompt_key", data.prompt_key},
                   {"label_key", data.label_key},
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

// The sets of one checkpoint that have no rows of it yet.
struct Work {
  size_t policy = 0;
  std::vector<size_t> files;
};

std::vector<Work> open_work(const RunPolicies& run, const std::vector<EvalFile>& files,
                            const KeptRows& kept) {
  std::vector<Work> all;
  for (size_t policy = 0; policy < run.steps.size(); ++policy) {
    const int64_t step = run.steps[policy];
    Work work{policy, {}};
    for (size_t i = 0; i < files.size(); ++i) {
      if (kept.has(files[i].name, step, run.identities[policy])) continue;
      if (kept.has(files[i].name, step))
        log::info(concat("step ", step, ": the kept rows of ", files[i].name,
                         " are not known to be of this policy, and are made anew"));
      work.files.push_back(i);
    }
    if (!work.files.empty()) all.push_back(std::move(work));
  }
  return all;
}

// Collective: the root looks, as only it writes.
std::vector<Work> agree_on_work(const std::vector<Work>& of_root, Communicator& world) {
  Json found = Json::array();
  for (const Work& work : of_root) found.push_back(Json::array({work.policy, work.files}));
  std::vector<Work> all;
  for (const Json& work : Json::parse(world.broadcast_string(found.dump())))
    all.push_back({work.at(0).get<size_t>(), work.at(1).get<std::vector<size_t>>()});
  return all;
}

std::vector<EvalRow> read_rows(const RunPolicies& run, const std::vector<EvalFile>& files,
                               const KeptRows& kept) {
  std::vector<EvalRow> rows;
  for (const int64_t step : run.steps)
    for (const EvalFile& file : files)
      for (EvalRow& row : kept.read(file.name, step)) rows.push_back(std::move(row));
  return rows;
}

}  // namespace

std::vector<EvalRow> evaluate_checkpoints(const SamplingWords& words, const VerifierWords& judge,
                                          const std::string& folder, Communicator& world) {
  const RunPolicies run = read_run_policies(words.run, world);
  const std::vector<EvalFile> files = eval_files(words);
  const KeptRows kept(folder.empty() ? words.run + "/evaluation" : folder);
  std::vector<Json> settings;
  for (size_t i = 0; i < files.size() && world.is_root(); ++i) {
    settings.push_back(settings_of(files[i], words, judge, run.config));
    kept.check(files[i].name, settings.back());
    kept.begin(files[i].name);
  }
  const std::vector<Work> work =
      agree_on_work(world.is_root() ? open_work(run, files, kept) : std::vector<Work>(), world);

  const auto verifier = make_verifier(judge);
  const VerifierOptions options = verifier_options(judge);
  Cluster cluster(world, /*num_learners=*/0);
  for (const auto& [policy, missing] : work) {
    const int64_t step = run.steps[policy];
    const Pretrained pretrained =
        load_policy(run, policy, parse_dtype(words.dtype, "--dtype"),
                    template_name(words, run.config.model.chat_template), device_of(words.device));
    Sampler sampler(*pretrained.model, *pretrained.tokenizer, *verifier, cluster, {words.max_batch},
                    kNumVerifyThreads);
    const DataConfig data = prompt_form(words, pretrained.config, run.config.data);
    const SamplingParams base = base_params(words, pretrained.generation);
    for (const size_t i : missing) {
      log::info(concat("step ", step, ": ", files[i].name));
      const Evaluator evaluator({load_eval_set(files[i], data, pretrained, options)}, base);
      const std::vector<EvalRow> rows =
          evaluator.run(sampler, {.step = step, .checkpoint = run.dirs[policy]});
      if (world.is_root())
        kept.write(files[i].name, step, run.identities[policy], settings[i], rows);
    }
  }
  return world.is_root() ? read_rows(run, files, kept) : std::vector<EvalRow>();
}

}  // namespace covrl
