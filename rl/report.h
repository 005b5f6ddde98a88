// report.html: one offline page (inline styles, SVG curves, no script from elsewhere) about one run
// or several side by side.
#pragma once

#include <string>
#include <vector>

namespace covrl {

// Reads metrics.jsonl, samples.jsonl, eval_samples.jsonl and config.resolved.yaml of each run
// folder. Error(kUsage) naming what is missing. Writes `path` as a whole.
void write_report(const std::vector<std::string>& run_dirs, const std::string& path);

}  // namespace covrl
