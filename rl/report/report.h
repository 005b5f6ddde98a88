// report.html: one offline page (inline styles, SVG curves, no script from elsewhere) about one run
// or several side by side.
#pragma once

#include <string>
#include <vector>

#include "rl/saturation.h"

namespace covrl {

// Each of `runs` is a folder or several that count as one (read_run). Error(kUsage) naming what is
// missing. Writes `path` as a whole. `saturation_accuracy`: rl/saturation.h.
void write_report(const std::vector<std::string>& runs, const std::string& path,
                  double saturation_accuracy = kSaturationAccuracy);

// Its tables as Markdown.
std::string report_markdown(const std::vector<std::string>& runs,
                            double saturation_accuracy = kSaturationAccuracy);

}  // namespace covrl
