// The page and the Markdown text about one sweep or several: question, table, curves.
#pragma once

#include <string>
#include <vector>

#include "rl/sweep/sweep_results.h"

namespace covrl {

// An offline page; links to the runs' own reports are relative to the sweep's root.
std::string sweep_html(const std::vector<SweepResult>& results);
std::string sweep_markdown(const std::vector<SweepResult>& results);

}  // namespace covrl
