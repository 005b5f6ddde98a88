#include "rl/sweep/sweep_config.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <iterator>
#include <optional>
#include <set>
#include <sstream>
#include <thread>

#include "core/config_keys.h"
#include "core/error.h"
#include "core/joined.h"
#include "rl/run_config.h"

namespace covrl {
namespace {

// Names become folders, files and links.
bool is_name(const std::string& text) {
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-';
  };
  return !text.empty() && std::ranges::all_of(text, fits);
}

const char* const kSeedRule =
    "trainer.seed: the seeds of a sweep are sweep.seeds, the same for all variants; leave this out";
const char* const kNameRule = "a name is made of letters, digits, '_' and '-', got '";

// Of a dotted key.
bool is_of_sweep(const std::string& key) { return key == "sweep" || key.starts_with("sweep."); }

struct SweepFile {
  RunConfig run;
  SweepSection sweep;
  void describe(config::Visitor& v) {
    run.describe(v);
    v.section("sweep", sweep, "Variants of this configuration.");
    v.check(run.trainer.resume == "auto", "trainer.resume",
            "a sweep goes on with what it finds by itself; leave this out");
  }
};

// Lines of messages, each once.
class Faults {
 public:
  void add(const std::string& prefix, const std::string& message) {
    std::istringstream lines(message);
    for (std::string line; std::getline(lines, line);)
      if (seen_.insert(line).second) text_ += (text_.empty() ? "" : "\n") + prefix + line;
  }
  void throw_any() const {
    if (!text_.empty()) throw Error(ErrorKind::kUsage, text_);
  }

 private:
  std::set<std::string> seen_;
  std::string text_;
};

bool load(const config::Sources& sources, const std::string& prefix, SweepFile& file,
          Faults& faults) {
  try {
    config::load(sources, [&](config::Visitor& v) { file.describe(v); });
    return true;
  } catch (const Error& error) {
    faults.add(prefix, error.what());
    return false;
  }
}

int64_t threads_of_a_job(int64_t jobs) {
  const auto cores = static_cast<int64_t>(std::thread::hardware_concurrency());
  return std::max<int64_t>(1, cores / jobs);
}

void add_runs(const SweepVariant& variant, RunConfig config, bool own_threads, Sweep& sweep) {
  if (config.trainer.num_threads == 0 && !own_threads)
    config.trainer.num_threads = threads_of_a_job(sweep.section.jobs);
  for (const double seed : sweep.section.seeds) {
    config.trainer.seed = static_cast<int64_t>(seed);
    config.trainer.run_dir = concat(sweep.root, "/", variant.name, "/seed_", config.trainer.seed);
    sweep.runs.push_back(
        {variant.name, config.trainer.seed, config.trainer.run_dir,
         config::dump([&](config::Visitor& v) { config.describe(v); }, config::Comments::kNone),
         config.trainer.total_steps, config.alarms.ends_run()});
  }
}

// Where trainer.seed is written; sources that cannot be read are told elsewhere.
std::optional<std::string> place_of_seed(const config::Sources& sources) {
  try {
    for (const auto& [key, place] : config::written_keys(sources))
      if (key == "trainer.seed") return place;
  } catch (const Error&) {
  }
  return std::nullopt;
}

// Of the seeds in the files of a sweep and of its variants: presets have one, as they have a
// trainer.run_dir.
std::vector<std::string> seed_notes(const std::vector<std::string>& files,
                                    const SweepSection& section) {
  std::vector<std::string> all = files, notes, seeds;
  for (const SweepVariant& variant : section.variants.list)
    std::ranges::copy(variant.config, std::back_inserter(all));
  for (const double seed : section.seeds)
    seeds.push_back(std::to_string(static_cast<int64_t>(seed)));
  std::set<std::string> seen;
  for (const std::string& file : all)
    if (const auto place = place_of_seed({{file}, {}}); place && seen.insert(*place).second)
      notes.push_back(concat(*place, ": trainer.seed is not used: the runs of the sweep have ",
                             "sweep.seeds, ", joined(seeds)));
  return notes;
}

// What a variant writes to no effect. Sources that cannot be read are told elsewhere.
void check_variant_keys(const SweepVariant& variant, const std::vector<config::WrittenKey>& given,
                        const std::string& prefix, Faults& faults) {
  std::vector<config::WrittenKey> keys;
  try {
    keys = config::written_keys({variant.config, variant.set});
  } catch (const Error&) {
    return;
  }
  if (const auto set = place_of_seed({{}, variant.set}))
    faults.add(prefix, concat(*set, ": ", kSeedRule));
  for (const auto& [key, place] : keys) {
    if (is_of_sweep(key))
      faults.add(prefix, concat(place, ": ", key,
                                ": a variant has keys of covrl train only; set it for the whole "
                                "sweep, or make another sweep"));
    const auto again = std::ranges::find(given, key, &config::WrittenKey::key);
    if (again != given.end() && key != "trainer.run_dir")
      faults.add(prefix, concat(place, ": ", key, ": the command line sets it again (",
                                again->place, "), for all variants; remove one of the two"));
  }
}

// A sweep before its variants are resolved.
struct SweepBase {
  std::vector<std::string> files;
  SweepFile file;
};

std::vector<SweepBase> read_bases(const SweepSources& sources, Faults& faults) {
  std::vector<std::vector<std::string>> file_lists;
  if (sources.sweeps.empty()) file_lists.push_back(sources.files);
  for (const std::string& file : sources.sweeps) {
    file_lists.push_back(sources.files);
    file_lists.back().push_back(file);
  }
  std::vector<SweepBase> bases;
  int64_t jobs = 1;
  for (const std::vector<std::string>& files : file_lists) {
    SweepBase base{files, {}};
    if (!load({files, sources.overrides}, "", base.file, faults)) continue;
    jobs = std::max(jobs, base.file.sweep.jobs);
    bases.push_back(std::move(base));
  }
  for (SweepBase& base : bases) base.file.sweep.jobs = jobs;
  return bases;
}

// Those that say how every variant trains.
std::vector<std::string> shared_overrides(const std::vector<std::string>& overrides) {
  std::vector<std::string> shared;
  std::ranges::copy_if(overrides, std::back_inserter(shared), [](const std::string& text) {
    const std::string key = text.substr(0, text.find('='));
    return !is_of_sweep(key) && key != "trainer.run_dir";
  });
  return shared;
}

Sweep read_variants(const SweepBase& read, const SweepSources& sources, Faults& faults) {
  const SweepFile& base = read.file;
  const std::vector<config::WrittenKey> given = config::written_keys({{}, sources.overrides});
  Sweep sweep{base.sweep, std::filesystem::path(base.run.trainer.run_dir).lexically_normal(), {}};
  sweep.overrides = shared_overrides(sources.overrides);
  sweep.notes = seed_notes(read.files, base.sweep);
  for (const SweepVariant& variant : base.sweep.variants.list) {
    config::Sources own{read.files, variant.set};
    std::ranges::copy(variant.config, std::back_inserter(own.files));
    std::ranges::copy(sources.overrides, std::back_inserter(own.overrides));
    const std::string prefix = concat(variant.place, ": variant ", variant.name, ": ");
    check_variant_keys(variant, given, prefix, faults);
    SweepFile file;
    if (!load(own, prefix, file, faults)) continue;
    const bool moved = file.run.trainer.run_dir != base.run.trainer.run_dir;
    if (moved && variant.config.empty())  // a preset has a run_dir of its own, which is not used
      faults.add(prefix, "trainer.run_dir is the sweep's; a variant has the folder of its name");
    add_runs(variant, file.run, sources.own_threads, sweep);
  }
  return sweep;
}

// Sweeps on one page have one folder and different names.
void check_together(const std::vector<Sweep>& sweeps, Faults& faults) {
  std::set<std::string> names;
  for (const Sweep& sweep : sweeps) {
    const std::string& name = sweep.section.name;
    if (!names.insert(name).second)
      faults.add("", concat("sweep.name: two sweeps are called '", name, "'; give each its own"));
    if (sweep.root != sweeps.front().root)
      faults.add("", concat("trainer.run_dir: sweep '", name, "' has ", sweep.root, ", '",
                            sweeps.front().section.name, "' has ", sweeps.front().root,
                            "; sweeps on one page share it"));
  }
}

}  // namespace

void SweepVariant::describe(config::Visitor& v) {
  v.field("label", label, "How tables and pages call it; empty: its name.");
  v.field("config", config, "Files laid over the configuration of the sweep.");
  v.field("set", set, "Then overrides, each section.key=value.");
}

void SweepVariants::describe(config::Visitor& v) {
  const char* const help = "A variant: `NAME:` alone is the configuration as it is.";
  list.clear();
  for (const std::string& name : v.given_keys()) {
    SweepVariant variant;
    variant.name = name;
    variant.place = v.place(name.c_str());
    v.section(name.c_str(), variant, help);
    v.check(is_name(name), name.c_str(), kNameRule + name + "'");
    list.push_back(std::move(variant));
  }
  SweepVariant none;
  if (list.empty()) v.section("NAME", none, help);
}

void SweepSection::describe(config::Visitor& v) {
  v.field("name", name, "Of the table and the page that it ends in: NAME.md and NAME.html.");
  v.field("title", title, "Heading of the page.");
  v.field("question", question, "What the sweep is to answer, shown under the title.");
  v.field("published", published, "What others found, shown beside.");
  v.field("page_title", page_title, "Heading of the page about several sweeps.");
  v.field("introduction", introduction, "Text at its top; an empty line starts a paragraph.");
  v.field("seeds", seeds, "trainer.seed of the runs of each variant.", {0, 9007199254740992.0});
  v.field("jobs", jobs, "Runs side by side; each has the cores divided by this.", {1, 1024});
  v.section("variants", variants, "What is compared, in this order.");
  const std::set<double> distinct(seeds.begin(), seeds.end());
  const auto is_whole = [](double seed) { return seed == std::floor(seed); };
  v.check(!seeds.empty() && distinct.size() == seeds.size() && std::ranges::all_of(seeds, is_whole),
          "seeds", "must be distinct whole numbers, at least one");
  v.check(is_name(name), "name", kNameRule + name + "'");
  v.check(!variants.list.empty(), "variants",
          "a sweep needs variants: sweep: {variants: {NAME: {set: [section.key=value]}}}");
}

void SweepDocument::describe(config::Visitor& v) {
  v.section("sweep", sweep, "Beside the sections of `covrl train` (docs/sweeps.md).");
}

std::vector<SweepRun> Sweep::runs_of(const std::string& variant) const {
  std::vector<SweepRun> chosen;
  std::ranges::copy_if(runs, std::back_inserter(chosen),
                       [&](const SweepRun& run) { return run.variant == variant; });
  return chosen;
}

std::vector<Sweep> read_sweeps(const SweepSources& sources) {
  Faults faults;
  std::vector<Sweep> sweeps;
  for (const std::string& text : sources.overrides)
    if (text.starts_with("trainer.seed="))
      faults.add("", concat("override '", text, "': ", kSeedRule));
  for (const SweepBase& base : read_bases(sources, faults))
    sweeps.push_back(read_variants(base, sources, faults));
  faults.throw_any();
  check_together(sweeps, faults);
  faults.throw_any();
  return sweeps;
}

}  // namespace covrl
