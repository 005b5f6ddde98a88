// Progress and warnings: stderr only, so that data on stdout stays clean. Only rank 0 prints unless
// asked otherwise.
#pragma once

#include <string>

#include "core/error.h"

namespace covrl::log {

void set_rank(int rank);     // ranks other than 0 print warnings only, prefixed [rank r]
void set_quiet(bool quiet);  // no info lines

void info(const std::string& message);     // plain line
void warning(const std::string& message);  // `warning: ...`, each distinct text once
bool stderr_is_terminal();

// One updating line on a terminal, a plain line otherwise. finish() ends an updating line.
void progress(const std::string& line);
void finish_progress();

}  // namespace covrl::log
