#include "rl/commands/eval_run.h"

#include <algorithm>
#include <memory>
#include <set>
#include <sstream>

#include "core/error.h"
#include "core/hash.h"
#include "core/interrupt.h"
#include "core/joined.h"
#include "core/log.h"
#include "rl/commands/device_option.h"
#include "rl/evaluation/evaluate.h"
#include "rl/evaluation/kept_rows.h"
#include "rl/evaluation/rescore.h"
#include "rl/evaluation/run_policies.h"

namespace covrl {

namespace {

// What the responses to a set depend on, beside the policy. The prompt form is that of the run
// where the words leave it open.
Json settings_of(const EvalFile& file, const SamplingWords& words, const RunConfig& run) {
  const DataConfig data = prompt_form(words, {}, run.data);
  Json settings = {{"content", hash_text(hash_file(file.path))},
                   {"seed", words.seed},
                   {"dtype", words.dtype},
                   {"chat_template", template_name(words, run.model.chat_template)},
                   {"use_chat_template", data.use_chat_template},
                   {"prompt_suffix", data.prompt_suffix},
                   {"prompt_key", data.prompt_key},
                   {"label_key", data.label_key}};
  EvalRules rules = file.rules;
  std::istringstream lines(
      config::dump([&](config::Visitor& v) { rules.describe(v); }, config::Comments::kNone));
  for (std::string line; std::getline(lines, line);)
    if (const size_t colon = line.find(": "); colon != std::string::npos)
      settings[line.substr(0, colon)] = line.substr(colon + 2);
  settings.erase("verifier");                                  // rows name it themselves
  if (rules.samples > 0) settings["draws_follow"] = "prompt";  // once it was the place in the file
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

// Who judges a set.
struct Judge {
  std::string text;
  std::shared_ptr<const Verifier> verifier;
};

std::vector<Judge> file_judges(const std::vector<EvalFile>& files, const VerifierWords& words,
                               const std::shared_ptr<const Verifier>& verifier) {
  const Judge main_judge{judge_text(words), verifier};
  std::vector<Judge> judges;
  for (const EvalFile& file : files) {
    const std::string& name = file.rules.verifier;
    judges.push_back(name == "main" ? main_judge
                                    : Judge{judge_text(words, name),
                                            make_verifier(name, verifier_options(words))});
  }
  return judges;
}

// The kept rows of a set at a step. Those that another verifier judged are judged again, from the
// kept text.
std::vector<EvalRow> read_judged(const std::string& set, int64_t step, const Judge& judge,
                                 const KeptRows& kept) {
  std::vector<EvalRow> rows = kept.read(set, step);
  const auto by_judge = [&](const EvalRow& row) { return row.verifier == judge.text; };
  if (std::ranges::all_of(rows, by_judge)) return rows;
  std::set<std::string> others = judges_of(rows)[set];
  others.erase(judge.text);
  const std::string before = joined({others.begin(), others.end()});
  const Rescoring rescoring = rescore(rows, *judge.verifier, judge.text, kNumVerifyThreads);
  log::info(concat(
      "step ", step, ": ", set, " is judged again by ", judge.text, ", ",
      before.empty() ? "as the kept rows do not name their verifier" : "no longer by " + before,
      ": ", agreement_text(rescoring)));
  kept.replace(set, step, rows);
  return rows;
}

std::vector<EvalRow> read_rows(const RunPolicies& run, const std::vector<EvalFile>& files,
                               const std::vector<Judge>& judges, const KeptRows& kept) {
  std::vector<EvalRow> rows;
  for (const int64_t step : run.steps)
    for (size_t i = 0; i < files.size(); ++i)
      for (EvalRow& row : read_judged(files[i].name, step, judges[i], kept))
        rows.push_back(std::move(row));
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
    settings.push_back(settings_of(files[i], words, run.config));
    kept.check(files[i].name, settings.back());
    kept.begin(files[i].name);
  }
  const std::vector<Work> work =
      agree_on_work(world.is_root() ? open_work(run, files, kept) : std::vector<Work>(), world);

  const std::shared_ptr<const Verifier> verifier = make_verifier(judge);
  const std::vector<Judge> judges = file_judges(files, judge, verifier);
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
      if (interrupt_requested(world))
        throw_runtime("interrupted before ", files[i].name, " of step ", step,
                      "; the same command goes on from there");
      log::info(concat("step ", step, ": ", files[i].name));
      const Evaluator evaluator({load_eval_set(files[i], data, pretrained, options)}, base);
      const std::vector<EvalRow> rows =
          evaluator.run(sampler, {.step = step,
                                  .checkpoint = run.dirs[policy],
                                  .judges = {{files[i].name, judges[i].text}}});
      if (world.is_root())
        kept.write(files[i].name, step, run.identities[policy], settings[i], rows);
    }
  }
  return world.is_root() ? read_rows(run, files, judges, kept) : std::vector<EvalRow>();
}

}  // namespace covrl
