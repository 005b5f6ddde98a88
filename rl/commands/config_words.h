// What the commands that take a configuration share: --config FILE (several), overrides a.b=v, and
// loading.
#pragma once

#include <string>
#include <vector>

#include "core/cli.h"
#include "core/config.h"
#include "core/error.h"

namespace covrl {

struct ConfigWords {
  std::vector<std::string> files;
  std::vector<std::string> overrides;
};

inline void add_config_words(cli::Parser& parser, ConfigWords& words) {
  parser.option("--config", words.files, "YAML file; several are read left to right").required();
  parser.positionals(words.overrides, "a.b=value", "overrides, after the files");
}

template <class Config>
void load_config(const ConfigWords& words, Config& config) {
  config::load({words.files, words.overrides}, [&](config::Visitor& v) { config.describe(v); });
}

template <class Config>
std::string dump_config(Config& config) {
  return config::dump([&](config::Visitor& v) { config.describe(v); }, config::Comments::kHelp);
}

}  // namespace covrl
