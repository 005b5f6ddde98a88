// What `covrl sweep` runs: a training configuration with a section `sweep:` that names its
// variants.
//
//   sweep:
//     title: Entropy coefficient
//     seeds: [1, 2, 3]
//     jobs: 2
//     variants:
//       one_shot:                        # the configuration as it is
//       no_entropy:
//         label: without entropy term
//         config: [other.yaml]           # laid over it
//         set: [actor.entropy_coeff=0]   # then overrides
//
// Every variant runs once a seed, in the folder trainer.run_dir/VARIANT/seed_N.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/config.h"

namespace covrl {

struct SweepVariant {
  std::string name;
  std::string label;  // empty: the name
  std::vector<std::string> config;
  std::vector<std::string> set;
  std::string place;  // file:line:col of its name
  void describe(config::Visitor& v);
  const std::string& shown_name() const { return label.empty() ? name : label; }
};

struct SweepVariants {
  std::vector<SweepVariant> list;
  void describe(config::Visitor& v);
};

struct SweepSection {
  std::string name = "sweep";  // of the table and the page: NAME.md, NAME.html
  std::string title = "Sweep";
  std::string question;    // under the title
  std::string published;   // what others found
  std::string page_title;  // of a page about several sweeps
  std::string introduction;
  std::vector<double> seeds = {1};
  int64_t jobs = 1;  // runs side by side; of several sweeps the largest counts, for all
  SweepVariants variants;
  void describe(config::Visitor& v);
};

// The section as a configuration of its own: for documentation.
struct SweepDocument {
  SweepSection sweep;
  void describe(config::Visitor& v);
};

// One training run.
struct SweepRun {
  std::string variant;
  int64_t seed = 1;
  std::string dir;   // its run folder; DIR.yaml is its configuration, DIR.log what it said
  std::string yaml;  // the resolved configuration
  int64_t total_steps = 0;
  bool alarm_ends = false;  // an alarm that rings ends it (alarms.action)
};

struct Sweep {
  SweepSection section;
  std::string root;                         // trainer.run_dir
  std::vector<SweepRun> runs;               // variant by variant, seed by seed
  std::vector<std::string> overrides = {};  // of every variant: no sweep.*, no trainer.run_dir
  std::vector<std::string> notes = {};      // what its files say that is not used

  std::vector<SweepRun> runs_of(const std::string& variant) const;
};

struct SweepSources {
  std::vector<std::string> files;      // read left to right
  std::vector<std::string> sweeps;     // each, after `files`, is one sweep; empty: `files` are one
  std::vector<std::string> overrides;  // of every variant, after its own
  bool own_threads = false;            // true: leave trainer.num_threads as it is
};

// All variants of all sweeps, resolved and checked: the faults of all come together as one
// Error(kUsage). A fault is also what would have no effect, silently: trainer.seed in `set` and
// sweep.* of a variant, and what a variant sets and an override of the command line sets again. A
// preset may have a trainer.seed; the sweep's seeds are used in its place, and a note says so.
// trainer.num_threads 0 becomes the machine's cores divided among the jobs.
std::vector<Sweep> read_sweeps(const SweepSources& sources);

}  // namespace covrl
