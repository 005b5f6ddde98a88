#include <iostream>
#include <set>
#include <sstream>

#include "core/cli.h"
#include "core/jsonl.h"
#include "core/log.h"
#include "rl/commands/commands.h"
#include "rl/commands/config_words.h"
#include "rl/commands/inputs.h"
#include "rl/sweep/sweep_page.h"
#include "rl/sweep/sweep_plan.h"
#include "rl/sweep/sweep_results.h"
#include "rl/sweep/sweep_runner.h"

namespace covrl {

namespace {

struct SweepWords {
  ConfigWords config;
  std::vector<std::string> sweeps, launch;
  bool dry_run = false;
};

SweepWords parse_words(const std::vector<std::string>& args) {
  SweepWords words;
  std::string launch;
  cli::Parser parser("covrl sweep",
                     "Variants of a training run over several seeds: one table, one page.",
                     "covrl sweep --config configs/tiny/study/base.yaml --sweep "
                     "configs/tiny/study/entropy_coef.yaml sweep.jobs=2");
  add_config_words(parser, words.config);
  parser.option("--sweep", words.sweeps,
                "file read after those, with a section `sweep:`; repeated: several sweeps on one "
                "page. Without it the section is in --config");
  parser.option("--launch", launch, "words before each `covrl train`, as \"mpirun -n 4\"");
  parser.flag("--dry-run", words.dry_run, "check everything and print what would run, then stop");
  parser.parse(args);
  std::istringstream parts(launch);
  for (std::string word; parts >> word;) words.launch.push_back(word);
  return words;
}

std::string state_text(const RunProgress& progress) {
  switch (progress.state) {
    case RunState::kNew:
      return "new";
    case RunState::kResumes:
      return concat("goes on from step ", progress.step);
    case RunState::kStartsAnew:
      return "begun without a checkpoint: starts anew";
    case RunState::kEndedByAlarm:
      return concat("ended by an alarm at step ", progress.step);
    case RunState::kComplete:
      break;
  }
  return "complete";
}

void print_plan(const std::vector<PlannedRun>& plan, int64_t jobs) {
  size_t num_left = 0;
  for (const PlannedRun& planned : plan) {
    std::cout << planned.run.dir << "  " << planned.run.total_steps << " steps  "
              << state_text(planned.progress) << "\n";
    num_left += planned.progress.is_over() ? 0 : 1;
  }
  std::cout << num_left << " of " << plan.size() << " runs to do, " << jobs << " side by side\n";
}

// Each once: sweeps share files.
void print_notes(const std::vector<Sweep>& sweeps) {
  std::set<std::string> told;
  for (const Sweep& sweep : sweeps)
    for (const std::string& note : sweep.notes)
      if (told.insert(note).second) log::info(note);
}

// The file that a run is started with replaces none that the sweep was read from.
void check_configurations(const std::vector<PlannedRun>& plan, const SweepWords& words) {
  InputFiles inputs;
  for (const std::string& file : words.config.files) inputs.push_back({"--config", file});
  for (const std::string& file : words.sweeps) inputs.push_back({"--sweep", file});
  for (const PlannedRun& planned : plan)
    check_replaces_none("trainer.run_dir", planned.run.dir + ".yaml", inputs);
}

// Beside the run folders of the first sweep.
void write_pages(const std::vector<Sweep>& sweeps) {
  std::vector<SweepResult> results;
  for (const Sweep& sweep : sweeps) results.push_back(read_results(sweep));
  for (const SweepResult& result : results) {
    std::cout << "## " << result.section.title << "\n\n" << to_markdown(headline_table(result));
    for (const std::string& note : result_notes(result)) std::cout << "- " << note << "\n";
    std::cout << "\n";
  }
  std::cout << std::flush;
  const std::string root = sweeps.front().root + "/", name = sweeps.front().section.name;
  const std::string page = root + (sweeps.size() == 1 ? name : "index") + ".html";
  const std::string tables = root + (sweeps.size() == 1 ? name : "study") + ".md";
  write_file_atomically(page, sweep_html(results));
  write_file_atomically(tables, sweep_markdown(results));
  log::info("Page:   " + page + "\nTables: " + tables);
}

}  // namespace

int run_sweep(const std::vector<std::string>& args) {
  const SweepWords words = parse_words(args);
  const std::vector<Sweep> sweeps = read_sweeps(
      {words.config.files, words.sweeps, words.config.all_overrides(), !words.launch.empty()});
  print_notes(sweeps);
  const std::vector<PlannedRun> plan = plan_runs(sweeps);
  const int64_t jobs = sweeps.front().section.jobs;
  if (words.dry_run) {
    print_plan(plan, jobs);
    return 0;
  }
  check_configurations(plan, words);
  const SweepOutcome outcome = run_all(plan, {jobs, words.launch});
  if (outcome.interrupted) {
    log::info("Interrupted; the same command goes on from there.");
    return 1;
  }
  write_pages(sweeps);
  for (const FailedRun& failed : outcome.failed)
    log::info(concat("FAILED: ", failed.dir, ": ", failed.reason, "; see ", failed.dir, ".log"));
  return outcome.failed.empty() ? 0 : 1;
}

}  // namespace covrl
