// Which keys the sources of a configuration write, and where, whatever they mean.
#pragma once

#include <string>
#include <vector>

#include "core/config.h"

namespace covrl::config {

struct WrittenKey {
  std::string key;    // dotted, "trainer.seed"
  std::string place;  // file:line:col, or "override 'trainer.seed=3'"
};

// A line for each value that is not a section, in order of first appearance; of several values of
// one key the last. Error(kUsage) where a source cannot be read.
std::vector<WrittenKey> written_keys(const Sources& sources);

}  // namespace covrl::config
