#include <algorithm>
#include <cstdio>
#include <iostream>

#include "core/cli.h"
#include "core/error.h"
#include "core/joined.h"
#include "core/log.h"
#include "rl/commands/commands.h"
#include "rl/commands/device_option.h"
#include "rl/commands/jsonl_output.h"
#include "rl/evaluation/eval_tables.h"

namespace covrl {

namespace {

// The rows of the last step that the source holds, and its name with that step.
struct Side {
  std::string name;
  std::vector<EvalRow> rows;
};

Side read_side(const std::string& source) {
  Side side{source, read_eval_rows(source)};
  std::optional<int64_t> last;
  for (const EvalRow& row : side.rows) last = std::max(last, row.step);
  const size_t num_rows =
      std::erase_if(side.rows, [&](const EvalRow& r) { return r.step != last; });
  if (num_rows > 0) side.name += concat(", step ", *last, " (its last)");
  for (const EvalRow& row : side.rows)
    if (row.checkpoint != side.rows.front().checkpoint)
      throw_usage(source, ": holds rows of ", side.rows.front().checkpoint, " and of ",
                  row.checkpoint, "; give a file of one checkpoint");
  return side;
}

// Figures of two verifiers say what the verifiers differ in as well.
void warn_of_other_judges(const Side& a, const Side& b) {
  const auto judges_b = judges_of(b.rows);
  for (const auto& [set, judges] : judges_of(a.rows)) {
    const auto other = judges_b.find(set);
    if (other == judges_b.end() || other->second == judges) continue;
    const auto text = [](const std::set<std::string>& names) {
      return joined({names.begin(), names.end()});
    };
    log::warning(concat(set, ": A was judged by ", text(judges), ", B by ", text(other->second),
                        "; covrl eval --responses FILE --verifier NAME judges again"));
  }
}

}  // namespace

int run_compare(const std::vector<std::string>& args) {
  std::vector<std::string> sources;
  std::string format = "table", device = "auto";
  cli::Parser parser("covrl compare",
                     "Two evaluations, A and B, problem by problem: the difference of their "
                     "accuracies with its 95 % interval, problems that B won and lost, and the "
                     "exact sign test. docs/evaluation.md explains them.",
                     "covrl compare runs/a@0 runs/a");
  parser.positionals(sources, "A B",
                     "each a file of covrl eval --output, or a run folder (its last evaluation); "
                     "with @STEP after it, that step of it");
  parser.option("--format", format, "of the rows on stdout").choices({"table", "jsonl"});
  add_device_option(parser, device, kDeviceIsUnused);
  parser.parse(args);
  if (sources.size() != 2)
    throw_usage("covrl compare: ", sources.size(), " evaluations given; give two, A and B");
  const Side a = read_side(sources[0]), b = read_side(sources[1]);
  warn_of_other_judges(a, b);
  const std::vector<Comparison> comparisons = compare_evaluations(a.rows, b.rows);
  log::info(concat("A: ", a.name, "\nB: ", b.name));
  if (format == "table") {
    std::cout << comparison_table(comparisons) << std::flush;
  } else {
    JsonlOutput out("");
    for (const Comparison& comparison : comparisons) out.write(to_json(comparison));
  }
  return 0;
}

}  // namespace covrl
