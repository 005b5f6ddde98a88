#include "rl/report/report.h"

#include "core/cli.h"
#include "core/error.h"
#include "core/jsonl.h"
#include "core/log.h"
#include "rl/commands/commands.h"
#include "rl/commands/device_option.h"
#include "rl/commands/inputs.h"
#include "rl/report/run_data.h"

namespace covrl {

namespace {

void check_outputs(const std::vector<std::string>& runs, const std::string& output,
                   const std::string& markdown) {
  InputFiles inputs;
  for (const std::string& run : runs)
    for (const std::string& dir : read_run(run).dirs) inputs = inputs + run_inputs("--run", dir);
  check_replaces_none("--output", output, inputs);
  check_replaces_none("--markdown", markdown, inputs);
  if (output == markdown)
    throw_usage("covrl report: --output and --markdown are both ", output, "; name two files");
}

}  // namespace

int run_report(const std::vector<std::string>& args) {
  std::vector<std::string> runs;
  std::string output, markdown, device = "auto";
  double saturation = 100 * kSaturationAccuracy;
  cli::Parser parser("covrl report", "One offline HTML page about runs, side by side.",
                     "covrl report --run runs/a --run runs/b --output compare.html");
  parser
      .option("--run", runs,
              "run folder, or NAME=FOLDER,FOLDER for the mean of several; may be repeated")
      .required();
  parser.option("--output", output, "page to write; default: report.html in the first run");
  parser.option("--markdown", markdown, "file to write the tables to as Markdown; default: none");
  parser.option("--saturation", saturation,
                "training accuracy, in percent, from which a run counts as saturated");
  add_device_option(parser, device, kDeviceIsUnused);
  parser.parse(args);
  if (!(saturation > 0 && saturation <= 100))
    throw_usage("covrl report: --saturation is ", saturation,
                "; it is a percentage, more than 0 and at most 100");
  if (output.empty()) output = read_run(runs.front()).dirs.front() + "/report.html";
  check_outputs(runs, output, markdown);
  write_report(runs, output, saturation / 100);
  log::info("Report: " + output);
  if (!markdown.empty()) {
    write_file_atomically(markdown, report_markdown(runs, saturation / 100));
    log::info("Tables: " + markdown);
  }
  return 0;
}

}  // namespace covrl
